package cloud.lanyard.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;

import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.object.Device;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.send.ManualDataSender;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.LwM2mId;
import org.eclipse.leshan.core.model.InvalidDDFFileException;
import org.eclipse.leshan.core.model.InvalidModelException;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.transport.californium.client.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientProtocolProvider;

/**
 * A device on Eclipse Leshan's client for the interoperability tests: objects 1, 3, 19 (a large opaque) and 3303.
 *
 * Arguments: server URI, endpoint name. Driven by lines on standard input: {@code set 21.5}, {@code update},
 * {@code send}, {@code stop}. Tells what happens by lines on standard output.
 */
public final class LeshanDevice {
    private static final int SERVER_ID = 123;

    private LeshanDevice() {
    }

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static List<ObjectModel> models() throws IOException, InvalidModelException, InvalidDDFFileException {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadDefault());
        for (String name : new String[] { "3303.xml", "19.xml" }) {
            try (InputStream file = LeshanDevice.class.getResourceAsStream("/models/" + name)) {
                models.addAll(ObjectLoader.loadDdfFile(file, name));
            }
        }
        return models;
    }

    private static final class Announcer extends LwM2mClientObserverAdapter {
        @Override
        public void onRegistrationSuccess(LwM2mServer server, RegisterRequest request, String registrationId) {
            say("registered " + registrationId);
        }

        @Override
        public void onUpdateSuccess(LwM2mServer server, UpdateRequest request) {
            say("updated");
        }

        @Override
        public void onDeregistrationSuccess(LwM2mServer server,
                org.eclipse.leshan.core.request.DeregisterRequest request) {
            say("deregistered");
        }
    }

    public static void main(String[] arguments) throws Exception {
        String uri = arguments[0];
        String endpoint = arguments[1];
        Thermometer thermometer = new Thermometer();
        ObjectsInitializer objects = new ObjectsInitializer(new StaticModel(models()));
        objects.setInstancesForObject(LwM2mId.SECURITY, Security.noSec(uri, SERVER_ID));
        objects.setInstancesForObject(LwM2mId.SERVER, new Server(SERVER_ID, 300));
        objects.setInstancesForObject(LwM2mId.DEVICE, new Device("Eclipse Leshan", "interop", "0001"));
        objects.setInstancesForObject(3303, thermometer);
        objects.setInstancesForObject(19, new LargeData());

        LeshanClientBuilder builder = new LeshanClientBuilder(endpoint);
        builder.setObjects(objects.createAll());
        builder.setDataSenders(new ManualDataSender());
        builder.setEndpointsProviders(
                new CaliforniumClientEndpointsProvider.Builder(new CoapClientProtocolProvider()).build());
        LeshanClient client = builder.build();
        client.addObserver(new Announcer());
        client.start();

        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.trim().split(" ");
            if (words[0].equals("set")) {
                thermometer.set(Double.parseDouble(words[1]));
            } else if (words[0].equals("update")) {
                client.triggerRegistrationUpdate();
            } else if (words[0].equals("send")) {
                LwM2mServer server = client.getRegisteredServers().values().iterator().next();
                client.getSendService().sendData(server, ContentFormat.SENML_CBOR,
                        List.of("/3303/0/5700"), 5000);
                say("sent");
            } else if (words[0].equals("stop")) {
                break;
            }
        }
        client.destroy(true);
        say("ended");
    }
}
