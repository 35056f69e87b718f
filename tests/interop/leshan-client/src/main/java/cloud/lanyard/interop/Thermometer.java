package cloud.lanyard.interop;

import java.util.List;

import org.eclipse.leshan.client.resource.BaseInstanceEnabler;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;

/** Object 3303 with a value, its extremes, their reset, and a writable application type. */
public final class Thermometer extends BaseInstanceEnabler {
    private static final int VALUE = 5700;
    private static final int MIN = 5601;
    private static final int MAX = 5602;
    private static final int RESET = 5605;
    private static final int UNIT = 5701;
    private static final int APPLICATION_TYPE = 5750;

    private double value = 20.0;
    private double min = 20.0;
    private double max = 20.0;
    private String applicationType = "none";

    public Thermometer() {
        super(0);
    }

    /**
     * The change is told without the lock held: whoever is told takes the lock of the object, under which others read,
     * and so wait for ours.
     */
    void set(double newValue) {
        synchronized (this) {
            value = newValue;
            min = Math.min(min, value);
            max = Math.max(max, value);
        }
        fireResourceChange(VALUE);
    }

    @Override
    public synchronized ReadResponse read(LwM2mServer server, int resource) {
        switch (resource) {
        case VALUE:
            return ReadResponse.success(resource, value);
        case MIN:
            return ReadResponse.success(resource, min);
        case MAX:
            return ReadResponse.success(resource, max);
        case UNIT:
            return ReadResponse.success(resource, "Cel");
        case APPLICATION_TYPE:
            return ReadResponse.success(resource, applicationType);
        default:
            return super.read(server, resource);
        }
    }

    @Override
    public synchronized WriteResponse write(LwM2mServer server, boolean replace, int resource,
            LwM2mResource written) {
        if (resource != APPLICATION_TYPE) {
            return super.write(server, replace, resource, written);
        }
        applicationType = (String) written.getValue();
        LeshanDevice.say("written " + applicationType);
        return WriteResponse.success();
    }

    @Override
    public synchronized ExecuteResponse execute(LwM2mServer server, int resource, Arguments arguments) {
        if (resource != RESET) {
            return super.execute(server, resource, arguments);
        }
        min = value;
        max = value;
        LeshanDevice.say("reset");
        return ExecuteResponse.success();
    }

    @Override
    public List<Integer> getAvailableResourceIds(ObjectModel model) {
        return List.of(MIN, MAX, RESET, VALUE, UNIT, APPLICATION_TYPE);
    }
}
