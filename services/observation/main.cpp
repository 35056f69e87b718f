#include "observation/service.hpp"
#include "runtime/service.hpp"

int main(int argc, char** argv) {
    namespace observation = lanyard::observation;
    observation::Config config;
    return lanyard::runtime::run_service_main(
        argc, argv,
        {.name = "observation",
         .summary = "Turns what devices report into telemetry and keeps their observations in place.",
         .admin_port = 9403,
         .bind = [&](auto& binder) { bind(binder, config); },
         .validate = [&] { return validate(config); },
         .make = [&](const auto& context) { return observation::make_service(config, context); }});
}
