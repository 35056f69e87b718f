#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "observation/downlink.hpp"
#include "scheduler.hpp"

namespace lanyard::observation {

// A scheduler whose time passes when the test says so.
class FakeScheduler final : public Scheduler {
  public:
    void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
    void after(Duration delay, std::function<void()> task) override { timers_.emplace(now_ + delay, std::move(task)); }
    // Runs what is due, then lets `span` pass and runs what became due.
    void run(Duration span = {}) {
        const Duration end = now_ + span;
        for (;;) {
            while (!tasks_.empty()) {
                auto tasks = std::exchange(tasks_, {});
                for (auto& task : tasks) task();
            }
            if (timers_.empty() || timers_.begin()->first > end) break;
            now_ = timers_.begin()->first;
            auto task = std::move(timers_.begin()->second);
            timers_.erase(timers_.begin());
            task();
        }
        now_ = end;
    }

  private:
    std::vector<std::function<void()>> tasks_;
    std::multimap<Duration, std::function<void()>> timers_;
    Duration now_{};
};

// Answers as the test says, at once; keeps what was asked.
class FakeDownlink final : public Downlink {
  public:
    using Answer = std::function<DownlinkAnswer(const DownlinkCommand&)>;

    void send(DownlinkCommand command, std::function<void(DownlinkAnswer)> done) override {
        DownlinkAnswer out;
        {
            const std::lock_guard lock(mutex_);
            out = answer_(command);
            commands_.push_back(std::move(command));
        }
        done(std::move(out));
    }
    void answer(Answer answer) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
    }
    std::vector<DownlinkCommand> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(commands_, {});
    }

    static DownlinkAnswer answered(std::uint8_t code, std::optional<std::uint32_t> observe = {},
                                   std::string payload = {}) {
        DownlinkAnswer out;
        out.outcome = Outcome::answered;
        out.code = code;
        out.observe = observe;
        out.payload = std::move(payload);
        if (!out.payload.empty()) out.content_format = 0;
        out.received_ms = 1764000000000;
        return out;
    }
    static DownlinkAnswer missed(Outcome outcome) {
        DownlinkAnswer out;
        out.outcome = outcome;
        out.message = "missed";
        return out;
    }

  private:
    std::mutex mutex_;
    Answer answer_ = [](const DownlinkCommand&) { return answered(0x45, 1, "20.5"); };
    std::vector<DownlinkCommand> commands_;
};

class FakeDirectory final : public DeviceDirectory {
  public:
    void get(const std::string& tenant, const std::string& endpoint,
             std::function<void(Result<DeviceInfo>)> done) override {
        for (const DeviceInfo& device : devices) {
            if (device.tenant == tenant && device.endpoint == endpoint) return done(device);
        }
        done(make_error(Errc::not_found, "no such device"));
    }
    void list(const std::string& tenant, const std::string& token, int size,
              std::function<void(Result<DevicePage>)> done) override {
        DevicePage page;
        std::size_t at = token.empty() ? 0 : std::stoul(token);
        for (; at < devices.size() && page.devices.size() < static_cast<std::size_t>(size); ++at) {
            if (devices[at].tenant == tenant) page.devices.push_back(devices[at]);
        }
        if (at < devices.size()) page.next_page_token = std::to_string(at);
        listed += page.devices.size();
        done(std::move(page));
    }
    std::size_t listed = 0;
    std::vector<DeviceInfo> devices;
};

inline DeviceInfo fake_device(std::uint32_t generation = 1) {
    DeviceInfo d;
    d.number = DeviceNumber{65};
    d.tenant = "default";
    d.endpoint = "urn:imei:1";
    d.registered = true;
    d.generation = generation;
    d.owner = OwnerHint{1, 0, generation};
    d.lwm2m_version = "1.1";
    d.object_links = "</1/0>,</3/0>,</3303/0>";
    return d;
}

}  // namespace lanyard::observation
