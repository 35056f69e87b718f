package cloud.lanyard.bench;

import java.util.concurrent.atomic.LongAdder;

import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.registration.Registration;

/** What has arrived: registrations, observations and notifications with a value. */
final class Counts implements ObservationListener {
    private final LongAdder registrations = new LongAdder();
    private final LongAdder observations = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder notifications = new LongAdder();

    void registered() {
        registrations.increment();
    }

    void refusedObserve() {
        refused.increment();
    }

    long registrations() {
        return registrations.sum();
    }

    long observations() {
        return observations.sum();
    }

    long refused() {
        return refused.sum();
    }

    long notifications() {
        return notifications.sum();
    }

    @Override
    public void newObservation(Observation observation, Registration registration) {
        observations.increment();
    }

    @Override
    public void cancelled(Observation observation) {
        observations.decrement();
    }

    @Override
    public void onResponse(SingleObservation observation, Registration registration, ObserveResponse response) {
        if (response.getContent() instanceof LwM2mSingleResource value && value.getValue() instanceof Double) {
            notifications.increment();
        }
    }

    @Override
    public void onResponse(CompositeObservation observation, Registration registration,
            ObserveCompositeResponse response) {
        refused.increment();
    }

    @Override
    public void onError(Observation observation, Registration registration, Exception error) {
        refused.increment();
    }
}
