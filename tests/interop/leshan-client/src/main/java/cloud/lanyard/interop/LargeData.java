package cloud.lanyard.interop;

import java.util.List;

import org.eclipse.leshan.client.resource.BaseInstanceEnabler;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.response.ReadResponse;

import java.util.Map;

/** Object 19 (BinaryAppDataContainer) whose data needs several blocks: 5000 bytes, byte i is i modulo 251. */
public final class LargeData extends BaseInstanceEnabler {
    private static final int DATA = 0;
    private static final int SIZE = 5000;

    public LargeData() {
        super(0);
    }

    @Override
    public ReadResponse read(LwM2mServer server, int resource) {
        if (resource != DATA) {
            return super.read(server, resource);
        }
        byte[] bytes = new byte[SIZE];
        for (int i = 0; i < SIZE; i++) {
            bytes[i] = (byte) (i % 251);
        }
        return ReadResponse.success(DATA, Map.of(0, bytes), Type.OPAQUE);
    }

    @Override
    public List<Integer> getAvailableResourceIds(ObjectModel model) {
        return List.of(DATA);
    }
}
