package cloud.lanyard.bench;

import java.util.Collection;

import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;

/** Observes the temperature of every device as soon as it has registered. */
final class Observer implements RegistrationListener {
    private static final int TEMPERATURE = 3303;
    private static final int VALUE = 5700;
    private static final long PATIENCE_MS = 60_000;

    private final LeshanServer server;
    private final ContentFormat format;
    private final Counts counts;

    Observer(LeshanServer server, ContentFormat format, Counts counts) {
        this.server = server;
        this.format = format;
        this.counts = counts;
    }

    @Override
    public void registered(Registration registration, Registration previous, Collection<Observation> previousOnes) {
        counts.registered();
        server.send(registration, new ObserveRequest(format, TEMPERATURE, 0, VALUE), PATIENCE_MS, response -> {
            if (!response.isSuccess()) {
                counts.refusedObserve();
            }
        }, error -> counts.refusedObserve());
    }

    @Override
    public void updated(RegistrationUpdate update, Registration now, Registration before) {
        // An Update changes nothing that is observed.
    }

    @Override
    public void unregistered(Registration registration, Collection<Observation> observations, boolean expired,
            Registration newOne) {
        // The store ends its observations by itself.
    }
}
