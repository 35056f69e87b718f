#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

namespace lanyard::runtime {

struct IntRange {
    std::int64_t min = std::numeric_limits<std::int64_t>::min();
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
struct NumberRange {
    double min = std::numeric_limits<double>::lowest();
    double max = std::numeric_limits<double>::max();
};
struct DurationRange {
    Duration min = Duration::zero();
    Duration max = Duration::max();
};

// "250us", "250ms", "5s", "1m", "2h", "1d": a whole number with a unit. "0" needs none.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
// The shortest text that parse_duration takes back.
std::string format_duration(Duration duration);

class Schema;

// Ties keys of a configuration to the members of structs. A service has one function
//
//   void bind(Binder& b, Config& c) {
//       b.address("coap.listen", &c.listen, "Where devices send CoAP over UDP.");
//       b.integer("coap.max_message_size", &c.max_message_size, {64, 65535}, "Longest datagram taken, in bytes.");
//       b.duration("redis.timeout", &c.redis_timeout, {100ms, 1min}, "How long one command may take.");
//       b.secret("redis.password", &c.redis_password, "Password for AUTH; empty for none.");
//       b.properties("kafka.properties", &c.properties, "librdkafka properties as name=value.");
//       b.enumeration("topics.manage", &c.manage, {{"create", Manage::create}, {"off", Manage::off}}, "...");
//       b.list("tenants", &c.tenants, bind_tenant, "One entry per tenant.");   // void bind_tenant(Binder&, Tenant&)
//   }
//
// What a member holds when it is bound is its default. Keys are dotted, in snake_case. The doc is one or more
// sentences for the operator, with the unit. Targets must outlive the Schema. Start-up only, one thread; a key bound
// twice is a bug of ours.
class Binder {
  public:
    template <std::integral T>
    requires(!std::same_as<T, bool>) void integer(std::string_view key, T* target, IntRange range,
                                                  std::string_view doc) {
        range.min = std::cmp_less(range.min, std::numeric_limits<T>::min())
                        ? static_cast<std::int64_t>(std::numeric_limits<T>::min())
                        : range.min;
        range.max = std::cmp_greater(range.max, std::numeric_limits<T>::max())
                        ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
                        : range.max;
        add_integer(
            key, range, doc, [target] { return static_cast<std::int64_t>(*target); },
            [target](std::int64_t v) { *target = static_cast<T>(v); });
    }
    void number(std::string_view key, double* target, NumberRange range, std::string_view doc);
    void boolean(std::string_view key, bool* target, std::string_view doc);
    void string(std::string_view key, std::string* target, std::string_view doc);
    // A string that may not be empty.
    void required_string(std::string_view key, std::string* target, std::string_view doc);
    void duration(std::string_view key, Duration* target, DurationRange range, std::string_view doc);
    // "127.0.0.1:5683", "[::]:5683"; port 0 takes a free one.
    void address(std::string_view key, Address* target, std::string_view doc);
    // Given as `key`, or as `key_file`: a file whose content, without a trailing newline, is the value. Not both.
    // Never printed, neither in errors nor in effective().
    void secret(std::string_view key, Secret* target, std::string_view doc);
    template <class E>
    void enumeration(std::string_view key, E* target, std::initializer_list<std::pair<std::string_view, E>> values,
                     std::string_view doc) {
        std::vector<std::string> names;
        std::vector<E> choices;
        for (const auto& [name, choice] : values) {
            names.emplace_back(name);
            choices.push_back(choice);
        }
        add_choice(
            key, std::move(names), doc,
            [target, choices] {
                std::size_t i = 0;
                while (i < choices.size() && choices[i] != *target) ++i;
                return i;
            },
            [target, choices](std::size_t i) { *target = choices[i]; });
    }
    // A YAML list, or, from the environment and --set, comma-separated values.
    void string_list(std::string_view key, std::vector<std::string>* target, std::string_view doc);
    void address_list(std::string_view key, std::vector<Address>* target, std::string_view doc);
    // A list of "name=value", each name once, for settings that are passed on to a library. Values may be passwords:
    // names alone are printed, in errors and in effective().
    void properties(std::string_view key, std::map<std::string, std::string>* target, std::string_view doc);
    // A YAML list of maps; from the environment and --set as YAML text: [{id: a}, {id: b}]. A list that is given
    // replaces the default list. Entries start as T{}.
    template <class T>
    void list(std::string_view key, std::vector<T>* target, void (*bind_entry)(Binder&, T&), std::string_view doc) {
        add_list(
            key, doc, [target] { return target->size(); }, [target](std::size_t n) { *target = std::vector<T>(n); },
            [target, bind_entry](Binder& binder, std::size_t i) { bind_entry(binder, (*target)[i]); },
            [bind_entry, example = std::make_shared<T>()](Binder& binder) { bind_entry(binder, *example); });
    }

    // A binder whose keys all start with `prefix` and a dot; for parts shared by services, and for programs that
    // compose services.
    [[nodiscard]] Binder section(std::string_view prefix);

  private:
    friend class Schema;
    Binder(Schema& schema, std::string prefix) : schema_(&schema), prefix_(std::move(prefix)) {}

    void add_integer(std::string_view key, IntRange range, std::string_view doc, std::function<std::int64_t()> get,
                     std::function<void(std::int64_t)> set);
    void add_choice(std::string_view key, std::vector<std::string> names, std::string_view doc,
                    std::function<std::size_t()> get, std::function<void(std::size_t)> set);
    void add_list(std::string_view key, std::string_view doc, std::function<std::size_t()> size,
                  std::function<void(std::size_t)> resize, std::function<void(Binder&, std::size_t)> bind_at,
                  std::function<void(Binder&)> bind_example);

    Schema* schema_;
    std::string prefix_;
};

// Where values come from, later ones win: defaults, the YAML file, the environment, `sets`.
struct ConfigSources {
    std::optional<std::string> file;
    // NAME=value. Only names that start with LANYARD_ are looked at: LANYARD_COAP_MAX_MESSAGE_SIZE is the key
    // coap.max_message_size.
    std::vector<std::string> environment;
    std::vector<std::string> sets;  // "key=value"

    // The environment of this process.
    static std::vector<std::string> process_environment();
};

// All keys of one program.
//
//   Schema schema;
//   Binder binder = schema.binder();
//   bind(binder, config);
//   if (auto loaded = schema.load(sources); !loaded) ...
class Schema {
  public:
    Schema();
    ~Schema();
    Schema(const Schema&) = delete;
    Schema& operator=(const Schema&) = delete;

    [[nodiscard]] Binder binder();

    // Fills the bound members. Stops at the first mistake; members may then hold new and old values. Errors:
    // invalid_argument (not_found for a missing file), with where (file:line, variable or --set), the full key, the
    // value (masked for secrets), what is allowed, and for an unknown key the nearest known one.
    [[nodiscard]] Result<void> load(const ConfigSources& sources);

    // What load() noticed but did not refuse: LANYARD_ variables that name no key (other programs may share the
    // environment).
    [[nodiscard]] const std::vector<std::string>& warnings() const;

    // The defaults as a commented YAML file: doc, range or choices, the environment variable.
    [[nodiscard]] std::string to_yaml_with_docs() const;
    // The values in force as YAML, secrets masked.
    [[nodiscard]] std::string effective() const;

    struct Impl;

  private:
    friend class Binder;
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::runtime
