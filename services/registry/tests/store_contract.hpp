#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store_fixture.hpp"

namespace lanyard::registry {

// The behaviour that every DeviceStore has; instantiated for the twin and for Redis.
struct StoreBackend {
    const char* name;
    // A fresh, empty store.
    std::function<std::unique_ptr<DeviceStore>(Executor, const StoreLimits&)> make;
};
inline void PrintTo(const StoreBackend& backend, std::ostream* out) {
    *out << backend.name;
}

class StoreContract : public ::testing::TestWithParam<StoreBackend> {
  protected:
    StoreContract() : store_(GetParam().make(loop_.executor(), {})) {}

    static constexpr UnixMillis kNow = 1764000000000;
    static identity::DeviceName name(const std::string& endpoint) { return {"default", endpoint}; }

    RegisterCommand registering(const std::string& endpoint, std::uint32_t lifetime_s = 300, UnixMillis now = kNow) {
        RegisterCommand command;
        command.name = name(endpoint);
        command.lifetime_s = lifetime_s;
        command.registration.binding = "U";
        command.registration.object_links = "</3/0>,</3303/0>";
        command.registration.remote_address = "192.0.2.1:5683";
        command.node = 7;
        command.shard = 1;
        command.auto_create = true;
        command.now_ms = now;
        return command;
    }
    // The result comes on any thread.
    template <class NameOrNumber>
    Result<DeviceRecord> find(NameOrNumber which) {
        return wait<DeviceRecord>(loop_, [&](auto done) {
            store_->find(which, [executor = loop_.executor(), done = std::move(done)](Result<DeviceRecord> r) mutable {
                executor([done = std::move(done), r = std::move(r)]() mutable { done(std::move(r)); });
            });
        });
    }
    // With the device as it is read afterwards.
    Result<Change> register_device(RegisterCommand command) {
        const std::string endpoint = command.name.endpoint;
        const auto answer =
            wait<Registered>(loop_, [&](auto done) { store_->register_device(std::move(command), std::move(done)); });
        if (!answer) return answer.error();
        const DeviceRecord device = *get(endpoint);
        EXPECT_EQ(answer->device, device.number);
        EXPECT_EQ(answer->generation, device.generation);
        EXPECT_EQ(answer->epoch, device.epoch);
        EXPECT_EQ(answer->pledge_s, device.pledge_s);
        return Change{device, answer->was_registered, answer->former_node, answer->former_shard};
    }
    Change registered(const std::string& endpoint, std::uint32_t lifetime_s = 300, UnixMillis now = kNow) {
        return *register_device(registering(endpoint, lifetime_s, now));
    }
    Result<Change> update(UpdateCommand command) {
        return wait<Change>(loop_, [&](auto done) { store_->update(std::move(command), std::move(done)); });
    }
    Result<DeviceRecord> get(const std::string& endpoint) {
        return wait<DeviceRecord>(loop_, [&](auto done) { store_->get(name(endpoint), std::move(done)); });
    }
    OutboxPage outbox(std::uint32_t partition, std::size_t max = 100) {
        return *wait<OutboxPage>(loop_, [&](auto done) { store_->outbox_read(partition, max, std::move(done)); });
    }
    Result<void> trim(std::uint32_t partition, const std::string& owner, std::size_t elements) {
        return wait<void>(loop_, [&](auto done) { store_->outbox_trim(partition, owner, elements, std::move(done)); });
    }
    std::size_t expire(std::vector<ExpireEntry> entries, UnixMillis now) {
        return *wait<std::size_t>(loop_, [&](auto done) { store_->expire(std::move(entries), now, std::move(done)); });
    }
    // All that waits, page by page: takes the lease and trims.
    std::vector<OutboxEntry> all_events(std::uint32_t partition) {
        const std::string holder = take(partition, "one");
        std::vector<OutboxEntry> out;
        for (OutboxPage page = outbox(partition); page.elements > 0; page = outbox(partition)) {
            out.insert(out.end(), page.entries.begin(), page.entries.end());
            if (!trim(partition, holder, page.elements)) break;
        }
        return out;
    }
    // `count` endpoints of one partition.
    static std::vector<std::string> endpoints_of(std::uint32_t partition, std::size_t count) {
        std::vector<std::string> out;
        for (int i = 0; out.size() < count; ++i) {
            std::string endpoint = "urn:many-" + std::to_string(i);
            if (identity::partition_of(name(endpoint).key()) == partition) out.push_back(std::move(endpoint));
        }
        return out;
    }
    // All of it: the number of registrations ended.
    std::size_t expire_due(std::uint32_t partition, UnixMillis now, std::size_t max = 512) {
        std::size_t ended = 0;
        for (int i = 0; i < 10000; ++i) {
            const auto progress = wait<ExpiryProgress>(
                loop_, [&](auto done) { store_->expire_due(partition, now, max, std::move(done)); });
            ended += progress->expired;
            if (!progress->more) break;
        }
        return ended;
    }
    // The holder of a lease after it was asked for.
    std::string take(std::uint32_t partition, const std::string& owner, const std::string& former = {}) {
        return *wait<std::string>(loop_,
                                  [&](auto done) { store_->take_lease(partition, owner, former, std::move(done)); });
    }
    static UpdateCommand update_of(const DeviceRecord& device, UnixMillis now) {
        UpdateCommand command;
        command.device = device.number;
        command.generation = device.generation;
        command.epoch = device.epoch;
        command.now_ms = now;
        return command;
    }

    TestLoop loop_;
    std::unique_ptr<DeviceStore> store_;
};

}  // namespace lanyard::registry
