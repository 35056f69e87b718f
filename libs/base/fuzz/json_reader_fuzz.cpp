#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/json_reader.hpp"
#include "base/json_text.hpp"

// Any text; and a string that was read is read again from what is written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using lanyard::JsonReader;
    const std::string_view text = lanyard::as_text({data, size});
    JsonReader whole(text);
    whole.skip();
    const bool json = whole.finish();

    JsonReader members(text);
    std::string name;
    std::string value;
    for (members.open_object(); members.next_member(name);) {
        if (members.at_string()) {
            members.read_string(value);
        } else {
            static_cast<void>(members.read_unsigned());
        }
    }
    LANYARD_ASSERT(!members.finish() || json);

    JsonReader one(text);
    one.read_string(value);
    if (!one.finish()) return 0;
    std::string written;
    lanyard::append_json_string(written, value);
    JsonReader again(written);
    again.read_string(name);
    LANYARD_ASSERT(again.finish() && name == value);
    return 0;
}
