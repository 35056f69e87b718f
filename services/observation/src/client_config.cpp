#include "client_config.hpp"

#include <utility>

namespace lanyard::observation {

kafka::ClientConfig client_config(const Config& config, std::string client_id) {
    kafka::ClientConfig out;
    out.bootstrap = config.kafka.bootstrap;
    out.client_id = std::move(client_id);
    // A topic that is made later is seen within seconds.
    out.properties["topic.metadata.refresh.interval.ms"] = "10000";
    for (const std::string& line : config.kafka.properties) {
        const auto equals = line.find('=');
        if (equals != std::string::npos) out.properties[line.substr(0, equals)] = line.substr(equals + 1);
    }
    return out;
}

kafka::ConsumerConfig group_config(const Config& config, const std::string& what) {
    kafka::ConsumerConfig out;
    out.client = client_config(config, "lanyard-observation-" + what);
    out.group = config.kafka.group + "." + what;
    out.session_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.kafka.session_timeout);
    return out;
}

}  // namespace lanyard::observation
