#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.hpp"
#include "desired.hpp"
#include "metrics.hpp"
#include "observation/config.hpp"
#include "observation/downlink.hpp"
#include "observation/store.hpp"
#include "plan.hpp"
#include "scheduler.hpp"
#include "spec_table.hpp"
#include "uplink_worker.hpp"

namespace lanyard::observation {

// A reason to look at a device.
struct ReconcileRequest {
    enum class Kind : std::uint8_t {
        present,  // registered: bring it into the wanted state
        offline,  // its registration is over
        deleted,  // it is not known any more
    };
    Kind kind = Kind::present;
    DeviceInfo device;
    std::vector<SpecId> retry;   // set up again although they failed
    std::function<void()> done;  // called once when the work is finished, or given up after its budget
};

// Brings devices into the wanted state: cancels what nobody wants, writes attributes, observes, and records how that
// went. Works on many devices at once and on one device step by step; a device that does not answer waits with
// backoff, without holding up others. A newer request for a device that is being worked on restarts it.
//
// Lives on one Scheduler: call submit() there. Callbacks of the dependencies may come on any thread.
class Reconciler {
  public:
    struct Deps {
        Scheduler& scheduler;
        Downlink& downlink;
        ObservationStore& store;
        SpecTable& specs;
        Metrics& metrics;
        ReconcileConfig config;
        SipKey key{};
        std::function<std::shared_ptr<const CompiledTemplates>()> templates;
        // Hands a first value to the uplink worker; false when it cannot take it now.
        std::function<bool(InitialValue)> publish;
    };

    explicit Reconciler(Deps deps);
    ~Reconciler();

    void submit(ReconcileRequest request);
    // No further steps from now on; `done` of what is open is not called.
    void stop() { stopped_ = true; }
    // Devices that are worked on or wait.
    [[nodiscard]] std::size_t open() const { return jobs_.size(); }

  private:
    struct Job;
    using JobPtr = std::shared_ptr<Job>;

    void merge(const JobPtr& job, ReconcileRequest request);
    void enqueue(const JobPtr& job);
    void start_waiting();
    void start(const JobPtr& job);
    void load(const JobPtr& job);
    void on_loaded(const JobPtr& job, Result<DeviceRecord> record);
    void intern_next(const JobPtr& job);
    void make_steps(const JobPtr& job);
    void next_step(const JobPtr& job);
    void cancel(const JobPtr& job, SpecId spec);
    void write_attributes(const JobPtr& job);
    void observe(const JobPtr& job, bool with_accept);
    void on_observed(const JobPtr& job, bool with_accept, DownlinkAnswer answer);
    void accepted(const JobPtr& job, DownlinkAnswer answer);
    void publish(const JobPtr& job, const std::shared_ptr<events::v1::UplinkRecord>& record);
    // `since_ms`: when the answer came, 0 without one.
    void set_state(Job& job, State state, std::string reason, UnixMillis since_ms);
    void save(const JobPtr& job);
    void on_saved(const JobPtr& job, const Result<void>& result);
    void retry_later(const JobPtr& job, bool counts);
    void finish(const JobPtr& job);
    // True when the job has new orders and starts again.
    bool restarted(const JobPtr& job);
    [[nodiscard]] DownlinkCommand command(const Job& job, SpecId spec, std::string path) const;
    // Runs `step` on the scheduler unless the reconciler or the run of the job is over.
    template <class Argument, class Step>
    auto resume(const JobPtr& job, Step step);

    Deps deps_;
    std::unordered_map<std::uint32_t, JobPtr> jobs_;
    std::deque<JobPtr> waiting_;
    std::size_t active_ = 0;
    bool stopped_ = false;
    // Expires with this object; callbacks that come later do nothing.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace lanyard::observation
