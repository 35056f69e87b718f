#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <future>
#include <string>

#include <CLI/CLI.hpp>

#include "redis_device_store.hpp"
#include "runtime/event_loop.hpp"

namespace lanyard::registry {
namespace {

constexpr std::uint32_t kLifetime = 60;
constexpr std::size_t kWindow = 8192;

struct Options {
    std::uint16_t port = 6379;
    std::uint32_t count = 1000;
    std::int64_t due_s = 0;
};

// Registers devices whose pledges all end at the same second, through the registry's own store, so that what expiry
// finds is what registrations leave. Loop only.
class Seeder {
  public:
    Seeder(DeviceStore& store, const Options& options) : store_(store), options_(options) {}

    void fill() {
        while (sent_ < options_.count && sent_ - done_ < kWindow) send(++sent_);
    }
    std::future<std::uint32_t> result() { return result_.get_future(); }

  private:
    void send(std::uint32_t number) {
        std::array<char, 32> endpoint{};
        std::snprintf(endpoint.data(), endpoint.size(), "due-%07u", number);
        RegisterCommand command;
        command.name = {"default", endpoint.data()};
        command.lifetime_s = kLifetime;
        command.registration.binding = "U";
        command.registration.remote_address = "192.0.2.1:5683";
        command.registration.object_links = "</1/0>,</3/0>,</3303/0>";
        command.auto_create = true;
        command.now_ms = (options_.due_s - 2 * std::int64_t{kLifetime} - 60) * 1000;
        store_.register_device(std::move(command), [this](Result<Registered> registered) {
            if (!registered) ++failed_;
            if (++done_ == options_.count) return finish();
            fill();
        });
    }
    // This process publishes nothing: it tells the registry to.
    void finish() {
        std::vector<std::uint32_t> all;
        for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) all.push_back(partition);
        store_.mark_changed(std::move(all), [this](Result<void>) { result_.set_value(failed_); });
    }

    DeviceStore& store_;
    const Options options_;
    std::uint32_t sent_ = 0;
    std::uint32_t done_ = 0;
    std::uint32_t failed_ = 0;
    std::promise<std::uint32_t> result_;
};

int run(const Options& options) {
    runtime::EventLoop loop("seed");
    redis::Config config;
    config.port = options.port;
    config.command_timeout = std::chrono::seconds(30);
    auto store = RedisDeviceStore::start(config, [&loop](runtime::Task task) { loop.post(std::move(task)); });
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().message.c_str());
        return 1;
    }
    Seeder seeder(**store, options);
    auto result = seeder.result();
    const auto began = std::chrono::steady_clock::now();
    loop.start();
    loop.post([&seeder] { seeder.fill(); });
    const std::uint32_t failed = result.get();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    (void)loop.stop(runtime::Deadline::never());
    std::printf("{\"registered\":%u,\"failed\":%u,\"seconds\":%.3f}\n", options.count - failed, failed, took.count());
    return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace lanyard::registry

int main(int argc, char** argv) {
    lanyard::registry::Options options;
    CLI::App app{"Registers devices in Redis that all fall due at one second", "lanyard-registry-seed"};
    app.add_option("--redis-port", options.port, "Port of Redis on 127.0.0.1")->required();
    app.add_option("--count", options.count, "Devices")->required();
    app.add_option("--due", options.due_s, "Unix time at which their pledges end, seconds")->required();
    CLI11_PARSE(app, argc, argv);
    return lanyard::registry::run(options);
}
