#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanyard {

// Reads a JSON text (RFC 8259) from front to back without building a tree: for records of known fields on hot paths.
//
//   JsonReader in(text);
//   for (in.open_object(); in.next_member(name);) {
//       if (name == "event" && in.at_string()) in.read_string(event); else in.skip();
//   }
//   if (!in.finish()) ...
//
// After the first thing that is not JSON it is dead: ok() is false, nothing follows. Strings must be UTF-8. What is
// skipped is looked at no closer than needed to find its end. Not thread-safe; does not own the text.
class JsonReader {
  public:
    // Deeper nesting is refused.
    static constexpr int kDepthMax = 64;

    explicit JsonReader(std::string_view text) : text_(text) { skip_space(); }

    [[nodiscard]] bool at_string() const { return peek() == '"'; }
    [[nodiscard]] bool at_object() const { return peek() == '{'; }

    // Enters the object that comes next; dead when none does.
    void open_object();
    // The name of the object's next member, whose value comes next; false at its end, which is then passed.
    bool next_member(std::string& name);
    void read_string(std::string& out);
    // A number without sign, fraction and exponent up to 2^64 - 1; anything else is skipped and gives nothing.
    std::optional<std::uint64_t> read_unsigned();
    // Passes over the value that comes next.
    void skip();
    // Nothing but space is left, and all was JSON.
    [[nodiscard]] bool finish();
    [[nodiscard]] bool ok() const { return ok_; }

  private:
    [[nodiscard]] char peek() const { return ok_ && at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space();
    bool take(char c);
    void fail() { ok_ = false; }
    // Appends the string to `out` when there is one.
    void string(std::string* out);
    void escape(std::string* out);
    std::uint32_t hex4();
    void number();
    void word(std::string_view expected);
    void skip_container(char close);

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool first_ = false;  // nothing of the container that was entered last has been read
    bool ok_ = true;
};

}  // namespace lanyard
