#include "kafka/client_keys.hpp"

#include "client.hpp"
#include "runtime/config.hpp"

namespace lanyard::kafka {

void bind(runtime::Binder& binder, ClientConfig& config) {
    binder.required_string("kafka.bootstrap", &config.bootstrap, "Kafka brokers, host:port, comma separated.");
    binder.properties("kafka.properties", &config.properties,
                      "librdkafka properties as name=value, for example security.protocol=SASL_SSL. They win over what "
                      "the service sets.");
}

void bind_manage(runtime::Binder& binder, ManageTopics& manage) {
    binder.enumeration(
        "topics.manage", &manage,
        {{"create", ManageTopics::create}, {"verify", ManageTopics::verify}, {"off", ManageTopics::off}},
        "What to do at start about the topics that are written here: make missing ones (create), only check them "
        "(verify), or neither (off).");
}

void bind_compression(runtime::Binder& binder, Compression& compression) {
    binder.enumeration("kafka.compression", &compression,
                       {{"none", Compression::none}, {"lz4", Compression::lz4}, {"zstd", Compression::zstd}},
                       "Compression of what is produced.");
}

Result<void> validate(const ClientConfig& config) {
    Properties properties;
    for (const auto& [name, value] : config.properties) {
        if (auto set = properties.set_own(name, value); !set) {
            return make_error(Errc::invalid_argument, "kafka.properties: " + set.error().message);
        }
    }
    return {};
}

}  // namespace lanyard::kafka
