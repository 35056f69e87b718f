#include "rpc/call_metrics.hpp"

#include <chrono>
#include <string_view>

#include "call_interceptor.hpp"
#include "rpc/status.hpp"

namespace lanyard::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

// Lives as long as its call. A call that ends without a status was cancelled.
class CallInterceptor final : public Interceptor {
  public:
    CallInterceptor(telemetry::MetricRegistry& metrics, std::string_view path)
        : metrics_(metrics), path_(path), began_(std::chrono::steady_clock::now()) {}
    ~CallInterceptor() override {
        const std::size_t slash = path_.rfind('/');
        count_call(metrics_, path_.substr(1, slash - 1), path_.substr(slash + 1), code_,
                   std::chrono::steady_clock::now() - began_);
    }
    void Intercept(InterceptorBatchMethods* methods) override {
        if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
            code_ = methods->GetSendStatus().error_code();
        }
        methods->Proceed();
    }

  private:
    telemetry::MetricRegistry& metrics_;
    const std::string_view path_;  // "/package.Service/Method", of the registered method
    const std::chrono::steady_clock::time_point began_;
    grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
};

class CallInterceptors final : public grpc::experimental::ServerInterceptorFactoryInterface {
  public:
    explicit CallInterceptors(telemetry::MetricRegistry& metrics) : metrics_(metrics) {}
    Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
        const std::string_view path = info->method() == nullptr ? "" : info->method();
        if (!path.starts_with("/lanyard.") || path.starts_with("/lanyard.internal.")) return nullptr;
        return new CallInterceptor(metrics_, path);
    }

  private:
    telemetry::MetricRegistry& metrics_;
};

}  // namespace

void count_call(telemetry::MetricRegistry& metrics, std::string_view service, std::string_view method,
                grpc::StatusCode code, Duration took) {
    metrics
        .counter("grpc_server_handled_total", "Calls finished, by status code.",
                 {{"grpc_service", service}, {"grpc_method", method}, {"grpc_code", code_name(code)}})
        .add();
    metrics
        .histogram("grpc_server_handling_seconds", "From the start of a call to its end; of a stream, its whole life.",
                   telemetry::latency_buckets(), {{"grpc_service", service}, {"grpc_method", method}})
        .observe(std::chrono::duration<double>(took).count());
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> make_call_interceptors(
    telemetry::MetricRegistry& metrics) {
    return std::make_unique<CallInterceptors>(metrics);
}

}  // namespace lanyard::rpc
