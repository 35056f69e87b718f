#include "observation/service.hpp"

namespace lanyard::observation {

Result<std::unique_ptr<runtime::Service>> make_service(Config config, Deps deps,
                                                       const runtime::ServiceContext& context) {
    (void)deps;
    context.log.info("observation", {{"group", config.kafka.group}});
    return make_error(Errc::unsupported, "the observation service cannot be started in this build");
}

}  // namespace lanyard::observation
