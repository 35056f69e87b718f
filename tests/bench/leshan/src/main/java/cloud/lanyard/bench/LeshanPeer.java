package cloud.lanyard.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.eclipse.leshan.core.model.InvalidDDFFileException;
import org.eclipse.leshan.core.model.InvalidModelException;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.model.StaticModelProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;

import com.sun.management.HotSpotDiagnosticMXBean;

/**
 * Eclipse Leshan's server as the peer of {@code make bench}: in-memory stores, NoSec, its own defaults otherwise. Every
 * device that registers is observed at /3303/0/5700, and every notification is decoded.
 *
 * Arguments: port, number of the content format to observe in. Says {@code ready} when it listens. A line
 * {@code memory} on standard input collects garbage, gives unused heap back to the system and answers with a line of
 * JSON; {@code counts} answers the same without collecting; the end of the input ends the server.
 */
public final class LeshanPeer {
    private final Counts counts = new Counts();

    private static List<ObjectModel> models() throws IOException, InvalidModelException, InvalidDDFFileException {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadDefault());
        try (InputStream file = LeshanPeer.class.getResourceAsStream("/models/3303.xml")) {
            models.addAll(ObjectLoader.loadDdfFile(file, "3303.xml"));
        }
        return models;
    }

    private LeshanServer start(int port, ContentFormat format) throws Exception {
        LeshanServerBuilder builder = new LeshanServerBuilder();
        builder.setObjectModelProvider(new StaticModelProvider(models()));
        builder.setEndpointsProviders(new CaliforniumServerEndpointsProvider.Builder(new CoapServerProtocolProvider())
                .addEndpoint("coap://127.0.0.1:" + port).build());
        LeshanServer server = builder.build();
        server.getRegistrationService().addListener(new Observer(server, format, counts));
        server.getObservationService().addListener(counts);
        server.start();
        return server;
    }

    // The heap shrinks to little more than what lives, so that the process size shows what devices cost.
    private static void collect() throws Exception {
        HotSpotDiagnosticMXBean options = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        String min = options.getVMOption("MinHeapFreeRatio").getValue();
        String max = options.getVMOption("MaxHeapFreeRatio").getValue();
        options.setVMOption("MinHeapFreeRatio", "1");
        options.setVMOption("MaxHeapFreeRatio", "5");
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(200);
        }
        options.setVMOption("MaxHeapFreeRatio", max);
        options.setVMOption("MinHeapFreeRatio", min);
    }

    private String report() {
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        return String.format(Locale.ROOT,
                "{\"registrations\":%d,\"observations\":%d,\"refused\":%d,\"notifications\":%d,\"heap\":%d}",
                counts.registrations(), counts.observations(), counts.refused(), counts.notifications(), heap);
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    public static void main(String[] arguments) throws Exception {
        LeshanPeer peer = new LeshanPeer();
        int port = Integer.parseInt(arguments[0]);
        LeshanServer server = peer.start(port, ContentFormat.fromCode(Integer.parseInt(arguments[1])));
        say("ready");
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            if (line.equals("memory")) {
                collect();
            }
            say(peer.report());
        }
        server.destroy();
        System.exit(0);
    }
}
