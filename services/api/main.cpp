#include "api/service.hpp"

int main(int argc, char** argv) {
    lanyard::api::Config config;
    return lanyard::runtime::run_service_main(
        argc, argv,
        {.name = "api",
         .summary = "One gRPC front door for all public services.",
         .admin_port = 9400,
         .bind = [&](auto& binder) { lanyard::api::bind(binder, config); },
         .validate = {},
         .make = [&](const auto& context) { return lanyard::api::make_service(config, context); }});
}
