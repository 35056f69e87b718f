#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "lanyard/operations/v1/operation.grpc.pb.h"
#include "rpc/channel_pool.hpp"
#include "simulator/histogram.hpp"

// Reads /3303/0/5700 of one device after the other through the API, at a fixed rate, and tells how long that took.
//
//   lanyard-downlink-probe HOST:PORT DEVICES READS_PER_SECOND SECONDS [THREADS]
//
// The devices are tenants/default/devices/sensor-0000001 and so on. A read that is late because the one before was
// slow counts from when it was due. The first second is not counted: connections are made.
// Prints one line of JSON, in microseconds.

namespace {

using namespace lanyard;
using Clock = std::chrono::steady_clock;
using operations::v1::DeviceOperationService;

struct Plan {
    std::string target;
    unsigned devices = 0;
    double per_second = 0;
    double seconds = 0;
    unsigned threads = 0;
};

struct Findings {
    std::mutex mutex;
    simulator::Histogram latency;
    std::map<std::string, unsigned> errors;
};

std::string device_name(unsigned number) {
    char name[64];
    std::snprintf(name, sizeof name, "tenants/default/devices/sensor-%07u", number);
    return name;
}

grpc::Status read_once(DeviceOperationService::Stub& stub, unsigned device) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    operations::v1::ReadResourceRequest request;
    request.set_device(device_name(device));
    request.set_path("/3303/0/5700");
    operations::v1::ReadResourceResponse response;
    return stub.ReadResource(&context, request, &response);
}

// One of `plan.threads` readers: every n-th read is its own.
void read_at_rate(const Plan& plan, unsigned reader, Clock::time_point began, Findings& findings) {
    const auto stub = DeviceOperationService::NewStub(rpc::make_channel(plan.target));
    const auto warm_until = began + std::chrono::seconds(1);
    const auto pause = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / plan.per_second));
    const auto end =
        warm_until + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(plan.seconds));
    for (unsigned number = reader;; number += plan.threads) {
        const auto due = began + number * pause;
        if (due >= end) return;
        // A sleep that takes too long is the fault of this program; a read that is late because of the one before is
        // not.
        const bool late = Clock::now() >= due;
        std::this_thread::sleep_until(due);
        const Clock::time_point asked = late ? due : Clock::now();
        // A stride, so that neighbours in time are no neighbours in memory.
        const grpc::Status status = read_once(*stub, static_cast<unsigned>(number * 7919ULL % plan.devices) + 1);
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - asked);
        if (due < warm_until) continue;
        const std::lock_guard lock(findings.mutex);
        findings.latency.record(static_cast<std::uint32_t>(took.count()));
        if (!status.ok()) ++findings.errors[status.error_message()];
    }
}

void print(const Findings& findings) {
    unsigned errors = 0;
    for (const auto& [reason, count] : findings.errors) {
        errors += count;
        std::fprintf(stderr, "%u x %s\n", count, reason.c_str());
    }
    const simulator::Histogram& h = findings.latency;
    std::printf("{\"reads\":%llu,\"errors\":%u,\"p50\":%u,\"p90\":%u,\"p99\":%u,\"p999\":%u,\"max\":%u}\n",
                static_cast<unsigned long long>(h.count()), errors, h.quantile(0.5), h.quantile(0.9), h.quantile(0.99),
                h.quantile(0.999), h.max());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fprintf(stderr, "usage: lanyard-downlink-probe HOST:PORT DEVICES READS_PER_SECOND SECONDS [THREADS]\n");
        return 2;
    }
    const Plan plan{argv[1], static_cast<unsigned>(std::atoi(argv[2])), std::atof(argv[3]), std::atof(argv[4]),
                    argc > 5 ? static_cast<unsigned>(std::atoi(argv[5])) : 4U};
    if (plan.devices == 0 || plan.threads == 0 || !(plan.per_second > 0) || !(plan.seconds > 0)) return 2;
    Findings findings;
    std::vector<std::thread> readers;
    const Clock::time_point began = Clock::now();
    for (unsigned reader = 0; reader < plan.threads; ++reader) {
        readers.emplace_back([&, reader] { read_at_rate(plan, reader, began, findings); });
    }
    for (std::thread& reader : readers) reader.join();
    print(findings);
    return 0;
}
