#include <string>

#include "kafka/admin.hpp"

namespace lanyard::kafka {

Result<ManageTopics> parse_manage_topics(std::string_view text) {
    if (text == "create") return ManageTopics::create;
    if (text == "verify") return ManageTopics::verify;
    if (text == "off") return ManageTopics::off;
    return make_error(Errc::invalid_argument, "\"" + std::string(text) + "\" is not one of create, verify, off");
}

}  // namespace lanyard::kafka
