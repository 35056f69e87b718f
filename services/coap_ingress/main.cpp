#include "coap_ingress/service.hpp"

int main(int argc, char** argv) {
    lanyard::coap_ingress::Config config;
    return lanyard::runtime::run_service_main(
        argc, argv,
        {.name = "coap-ingress",
         .summary = "Serves LwM2M devices over CoAP: registrations, notifications, Send and downlink requests.",
         .admin_port = 9401,
         .bind = [&](auto& binder) { bind(binder, config); },
         .validate = [&] { return validate(config); },
         .make = [&](const auto& context) { return lanyard::coap_ingress::make_service(config, context); }});
}
