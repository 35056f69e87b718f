#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard::redis {

using Args = std::span<const std::string_view>;
using ArgList = std::initializer_list<std::string_view>;

// A Lua script known to one Client (Client::script): called by its SHA-1, loaded on every new connection.
// Cheap to copy.
class Script {
  public:
    Script() = default;
    explicit Script(std::string sha1) : sha1_(std::move(sha1)) {}
    // 40 lower-case hex digits.
    [[nodiscard]] const std::string& sha1() const { return sha1_; }

  private:
    std::string sha1_;
};

// Commands encoded for the wire (RESP arrays of bulk strings), to be written back to back in one go.
// Arguments are copied by add(). Not thread-safe; hand it over with Client::submit.
class Batch {
  public:
    void add(Args args);
    void add(ArgList args) { add(Args(args.begin(), args.size())); }
    // EVALSHA with KEYS and ARGV.
    void eval(const Script& script, Args keys, Args args);
    void eval(const Script& script, ArgList keys, ArgList args) {
        eval(script, Args(keys.begin(), keys.size()), Args(args.begin(), args.size()));
    }

    [[nodiscard]] std::size_t size() const { return ends_.size(); }
    [[nodiscard]] bool empty() const { return ends_.empty(); }
    // The encoded bytes of command `index`.
    [[nodiscard]] std::string_view encoded(std::size_t index) const;

  private:
    void add_words(ArgList head, Args middle, Args tail);

    std::string bytes_;
    std::vector<std::size_t> ends_;
};

}  // namespace lanyard::redis
