#include "reconciler.hpp"

#include <algorithm>
#include <utility>

#include "identity/event_id.hpp"
#include "identity/observation_token.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "template_rules.hpp"
#include "uplink_decoder.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;
using events::v1::UplinkRecord;
using Kind = ReconcileRequest::Kind;

constexpr std::uint8_t kNotAcceptable = 0x86;       // 4.06
constexpr std::uint8_t kServiceUnavailable = 0xa3;  // 5.03
constexpr Duration kPublishRetry = 500ms;

bool is_success(std::uint8_t code) {
    return code >> 5 == 2;
}

// What follows a stored state is never older, whatever the clocks of two ingresses say.
UnixMillis since_of(const DeviceRecord& record, SpecId spec, std::uint32_t generation) {
    for (const ObservationState& state : record.states) {
        if (state.spec == spec && state.generation == generation) return state.since_ms;
    }
    return 0;
}

}  // namespace

struct Reconciler::Job {
    ReconcileRequest request;
    std::vector<std::function<void()>> done;
    bool restart = false;
    bool backing_off = false;
    std::uint32_t run = 0;       // counts starts: late callbacks of an earlier run are ignored
    std::uint32_t attempts = 0;  // that failed because the device or the store did not answer

    DeviceRecord record;
    std::vector<Wanted> wanted;
    Plan plan;
    std::size_t cancelled = 0;    // of plan.cancel
    std::size_t established = 0;  // of plan.establish
    std::string note;             // attributes that were refused
    std::vector<ObservationState> states;
    bool again = false;  // something did not answer: once more after saving
};

Reconciler::Reconciler(Deps deps) : deps_(std::move(deps)) {}
Reconciler::~Reconciler() = default;

template <class Argument, class Step>
auto Reconciler::resume(const JobPtr& job, Step step) {
    return [this, job, step, run = job->run, alive = std::weak_ptr<bool>(alive_),
            scheduler = &deps_.scheduler](Argument argument) {
        auto held = std::make_shared<Argument>(std::move(argument));
        scheduler->post([this, job, step, run, alive, held] {
            if (alive.expired() || stopped_ || job->run != run) return;
            step(std::move(*held));
        });
    };
}

void Reconciler::submit(ReconcileRequest request) {
    if (stopped_) return;
    const std::uint32_t number = request.device.number.value;
    if (const auto found = jobs_.find(number); found != jobs_.end()) {
        merge(JobPtr(found->second), std::move(request));
        return;
    }
    // Nothing has to be undone: states of a registration that is over are shown as pending, and mean nothing after the
    // next Register.
    if (request.kind == Kind::offline) {
        if (request.done) request.done();
        return;
    }
    auto job = std::make_shared<Job>();
    if (request.done) job->done.push_back(std::move(request.done));
    job->request = std::move(request);
    jobs_.emplace(number, job);
    deps_.metrics.reconciling(jobs_.size());
    enqueue(job);
}

void Reconciler::merge(const JobPtr& job, ReconcileRequest request) {
    if (request.done) job->done.push_back(std::move(request.done));
    ReconcileRequest& current = job->request;
    current.retry.insert(current.retry.end(), request.retry.begin(), request.retry.end());
    if (request.device.generation < current.device.generation) return;
    const bool loses_hint = !request.device.owner && request.device.generation == current.device.generation;
    const auto hint = current.device.owner;
    current.kind = request.kind;
    current.device = std::move(request.device);
    if (loses_hint) current.device.owner = hint;
    job->restart = true;
    if (!job->backing_off) return;
    ++job->run;  // voids the alarm
    job->backing_off = false;
    job->attempts = 0;
    enqueue(job);
}

void Reconciler::enqueue(const JobPtr& job) {
    waiting_.push_back(job);
    start_waiting();
}

void Reconciler::start_waiting() {
    while (active_ < deps_.config.concurrency && !waiting_.empty()) {
        const JobPtr job = waiting_.front();
        waiting_.pop_front();
        ++active_;
        start(job);
    }
}

void Reconciler::start(const JobPtr& job) {
    ++job->run;
    job->restart = false;
    job->cancelled = 0;
    job->established = 0;
    job->states.clear();
    job->plan = {};
    job->again = false;
    if (job->request.kind == Kind::offline) return finish(job);
    if (job->request.kind == Kind::deleted) {
        deps_.store.forget_device(
            job->request.device.number,
            resume<Result<void>>(job, [this, job](Result<void> result) { on_saved(job, result); }));
        return;
    }
    load(job);
}

void Reconciler::load(const JobPtr& job) {
    deps_.store.load_device(
        job->request.device.number,
        resume<Result<DeviceRecord>>(job, [this, job](Result<DeviceRecord> r) { on_loaded(job, std::move(r)); }));
}

void Reconciler::on_loaded(const JobPtr& job, Result<DeviceRecord> record) {
    if (restarted(job)) return;
    if (!record) return retry_later(job, false);
    job->record = std::move(*record);
    job->wanted.clear();
    const auto templates = deps_.templates();
    for (Desired& desired : desired_of(job->request.device, job->record.own, *templates)) {
        job->wanted.push_back({std::move(desired), 0});
    }
    intern_next(job);
}

// Gives every wanted path its number, one after the other; nearly always all are known.
void Reconciler::intern_next(const JobPtr& job) {
    for (Wanted& wanted : job->wanted) {
        if (wanted.spec != 0) continue;
        const std::vector<std::string> paths{wanted.desired.path};
        if (const auto known = deps_.specs.find(paths)) {
            wanted.spec = *known;
            continue;
        }
        deps_.store.intern_spec(paths, resume<Result<SpecId>>(job, [this, job, paths](Result<SpecId> id) {
                                    if (!id) return retry_later(job, id.error().code == Errc::resource_exhausted);
                                    const Spec spec{*id, paths};
                                    deps_.specs.add(std::span(&spec, 1));
                                    intern_next(job);
                                }));
        return;
    }
    make_steps(job);
}

void Reconciler::make_steps(const JobPtr& job) {
    job->plan = make_plan(job->wanted, job->record.states, job->request.device.generation, job->request.retry);
    for (const Wanted& wanted : job->plan.establish) {
        job->states.push_back({wanted.spec,
                               State::pending,
                               {},
                               job->request.device.generation,
                               since_of(job->record, wanted.spec, job->request.device.generation)});
    }
    next_step(job);
}

bool Reconciler::restarted(const JobPtr& job) {
    if (!job->restart) return false;
    job->attempts = 0;
    std::erase_if(job->states, [](const ObservationState& s) { return s.state == State::pending; });
    if (job->states.empty()) {
        start(job);
        return true;
    }
    // What the device has answered already is not asked again.
    const auto answered = std::exchange(job->states, {});
    deps_.store.save_states(job->request.device.number, answered, {},
                            resume<Result<void>>(job, [this, job](const Result<void>&) { start(job); }));
    return true;
}

void Reconciler::next_step(const JobPtr& job) {
    if (restarted(job)) return;
    job->note.clear();
    if (job->cancelled < job->plan.cancel.size()) {
        cancel(job, job->plan.cancel[job->cancelled++]);
    } else if (job->established < job->plan.establish.size() && !job->again) {
        if (job->plan.establish[job->established].desired.attributes.empty()) {
            observe(job, true);
        } else {
            write_attributes(job);
        }
    } else {
        save(job);
    }
}

DownlinkCommand Reconciler::command(const Job& job, SpecId spec, std::string path) const {
    DownlinkCommand out;
    out.device = job.request.device.number;
    out.generation = job.request.device.generation;
    out.owner = job.request.device.owner;
    out.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(deps_.config.request_timeout);
    out.path = std::move(path);
    const auto token = identity::make_observation_token(deps_.key, out.device, spec, out.generation);
    out.token.assign(token.begin(), token.end());
    return out;
}

// The outcome does not matter: a device that was not reached forgets at its next Register, and a notification that
// comes all the same is refused by nobody but read as telemetry.
void Reconciler::cancel(const JobPtr& job, SpecId spec) {
    const auto known = deps_.specs.find(spec);
    if (known == nullptr || known->spec.paths.size() != 1) return next_step(job);
    DownlinkCommand request = command(*job, spec, known->spec.paths.front());
    request.observe = 1;
    deps_.metrics.observe_request("cancelled");
    deps_.downlink.send(std::move(request),
                        resume<DownlinkAnswer>(job, [this, job](const DownlinkAnswer&) { next_step(job); }));
}

void Reconciler::write_attributes(const JobPtr& job) {
    const Wanted& wanted = job->plan.establish[job->established];
    DownlinkCommand request = command(*job, wanted.spec, wanted.desired.path);
    request.token.clear();
    request.method = Method::put;
    request.queries = attribute_query(wanted.desired.attributes);
    deps_.downlink.send(std::move(request), resume<DownlinkAnswer>(job, [this, job](const DownlinkAnswer& answer) {
                            if (answer.outcome != Outcome::answered) return on_observed(job, false, answer);
                            // Values without the wanted rhythm are better than none.
                            if (!is_success(answer.code)) job->note = "attributes refused: " + code_text(answer.code);
                            observe(job, true);
                        }));
}

void Reconciler::observe(const JobPtr& job, bool with_accept) {
    const Wanted& wanted = job->plan.establish[job->established];
    DownlinkCommand request = command(*job, wanted.spec, wanted.desired.path);
    request.observe = 0;
    if (with_accept) request.accept = choose_accept(wanted.desired.accept, job->request.device);
    deps_.downlink.send(std::move(request),
                        resume<DownlinkAnswer>(job, [this, job, with_accept](DownlinkAnswer answer) {
                            on_observed(job, with_accept, std::move(answer));
                        }));
}

void Reconciler::on_observed(const JobPtr& job, bool with_accept, DownlinkAnswer answer) {
    const bool answered = answer.outcome == Outcome::answered;
    if (answered && is_success(answer.code)) return accepted(job, std::move(answer));
    const Wanted& wanted = job->plan.establish[job->established];
    if (answered && answer.code == kNotAcceptable && with_accept && !wanted.desired.accept) return observe(job, false);
    if (answer.outcome == Outcome::unreachable || (answered && answer.code == kServiceUnavailable)) {
        deps_.metrics.observe_request("unreachable");
        set_state(*job, State::pending, answered ? code_text(answer.code) : answer.message, answer.received_ms);
        job->again = true;
        return save(job);
    }
    if (answer.outcome == Outcome::offline) {
        // Its next Register brings it back.
        deps_.metrics.observe_request("offline");
        job->established = job->plan.establish.size();
        return save(job);
    }
    deps_.metrics.observe_request("refused");
    set_state(*job, State::failed, answered ? code_text(answer.code) : answer.message, answer.received_ms);
    ++job->established;
    next_step(job);
}

void Reconciler::set_state(Job& job, State state, std::string reason, UnixMillis since_ms) {
    const SpecId spec = job.plan.establish[job.established].spec;
    const auto at = std::find_if(job.states.begin(), job.states.end(), [&](const auto& s) { return s.spec == spec; });
    at->state = state;
    at->reason = std::move(reason);
    at->since_ms = std::max(at->since_ms, since_ms);
}

void Reconciler::accepted(const JobPtr& job, DownlinkAnswer answer) {
    const Wanted& wanted = job->plan.establish[job->established];
    if (answer.observe) {
        deps_.metrics.observe_request("established");
        set_state(*job, State::active, job->note, answer.received_ms);
    } else {
        // RFC 7641 section 4.1: without the option the device answered, but does not observe.
        deps_.metrics.observe_request("refused");
        set_state(*job, State::failed, "the device answered without observing", answer.received_ms);
    }
    if (answer.payload.empty()) {
        ++job->established;
        return next_step(job);
    }
    const DeviceInfo& device = job->request.device;
    auto record = std::make_shared<UplinkRecord>();
    record->set_tenant(device.tenant);
    record->set_endpoint(device.endpoint);
    record->set_kind(UplinkRecord::KIND_NOTIFY);
    record->set_device_number(device.number.value);
    record->set_generation(device.generation);
    record->set_epoch(device.owner ? device.owner->epoch : 0);
    record->set_observation_spec(wanted.spec);
    if (answer.observe) record->set_observe_sequence(*answer.observe);
    record->set_coap_code(answer.code);
    if (answer.content_format) record->set_content_format(*answer.content_format);
    record->set_payload(answer.payload);
    record->set_received_ms(answer.received_ms);
    record->set_root_path(root_path_of(device));
    const auto token = identity::make_observation_token(deps_.key, device.number, wanted.spec, device.generation);
    record->set_event_id(identity::message_event_id(
        {device.number.value, device.generation, 0, answer.observe.value_or(0), token, as_bytes(answer.payload)}));
    publish(job, record);
}

// Goes on when the broker has the first value; a failed delivery is repeated with the same event id.
void Reconciler::publish(const JobPtr& job, const std::shared_ptr<UplinkRecord>& record) {
    auto done = resume<bool>(job, [this, job, record](bool delivered) {
        if (delivered) {
            ++job->established;
            return next_step(job);
        }
        deps_.scheduler.after(
            kPublishRetry,
            [step = resume<bool>(job, [this, job, record](bool) { publish(job, record); })] { step(true); });
    });
    if (!deps_.publish({record, done})) done(false);
}

void Reconciler::save(const JobPtr& job) {
    if (job->states.empty() && job->plan.erase.empty()) return on_saved(job, {});
    deps_.store.save_states(
        job->request.device.number, job->states, job->plan.erase,
        resume<Result<void>>(job, [this, job](const Result<void>& result) { on_saved(job, result); }));
}

void Reconciler::on_saved(const JobPtr& job, const Result<void>& result) {
    if (result) job->states.clear();
    if (restarted(job)) return;
    if (!result) return retry_later(job, false);
    if (job->again) return retry_later(job, true);
    finish(job);
}

// `counts`: the device is at fault and has a budget; a store that does not answer is waited for.
void Reconciler::retry_later(const JobPtr& job, bool counts) {
    if (counts && ++job->attempts >= deps_.config.attempts) return finish(job);
    const unsigned doublings = std::min(job->attempts, 16U);
    const Duration delay = std::min(deps_.config.backoff_min * (1U << doublings), deps_.config.backoff_max);
    job->backing_off = true;
    --active_;
    auto wake = resume<bool>(job, [this, job](bool) {
        job->backing_off = false;
        enqueue(job);
    });
    deps_.scheduler.after(delay, [wake] { wake(true); });
    start_waiting();
}

void Reconciler::finish(const JobPtr& job) {
    if (restarted(job)) return;
    ++job->run;
    --active_;
    jobs_.erase(job->request.device.number.value);
    deps_.metrics.reconciling(jobs_.size());
    for (const auto& done : job->done) done();
    start_waiting();
}

}  // namespace lanyard::observation
