#include "registry/service.hpp"
#include "runtime/service.hpp"

int main(int argc, char** argv) {
    lanyard::registry::Config config;
    return lanyard::runtime::run_service_main(
        argc, argv,
        {.name = "registry",
         .summary = "Keeps tenants, devices and registrations, and routes requests to devices.",
         .admin_port = 9402,
         .bind = [&](auto& binder) { bind(binder, config); },
         .validate = [&] { return validate(config); },
         .make = [&](const auto& context) { return lanyard::registry::make_service(config, context); }});
}
