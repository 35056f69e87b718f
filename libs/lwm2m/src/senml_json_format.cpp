#include <cmath>

#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "formats.hpp"
#include "lwm2m/limits.hpp"
#include "number_text.hpp"
#include "senml.hpp"

// SenML JSON (Content-Format 110): an array of objects, RFC 8428 section 5.
namespace lanyard::lwm2m {
namespace {

using Json = nlohmann::json;

Error malformed(const char* what) {
    return make_error(Errc::invalid_argument, std::string("senml json: ") + what);
}

// Receives the events of the JSON parser. Nesting is 1 in the pack, 2 in a record, more in a field to be ignored.
// A handler that returns false ends parsing; `error_` then says why. The names are those of nlohmann's interface.
class PackHandler final : public nlohmann::json_sax<Json> {
  public:
    explicit PackHandler(RecordSink& sink) : resolver_(sink) {}

    [[nodiscard]] const Error& error() const { return error_; }

    bool null() override { return field_ == SenmlField::other || depth_ > 2 || fail("null is no value"); }
    bool boolean(bool value) override { return on_value(value); }
    bool number_integer(std::int64_t value) override { return on_value(value); }
    bool number_unsigned(std::uint64_t value) override {
        if (value <= INT64_MAX) return on_value(static_cast<std::int64_t>(value));
        return on_value(value);
    }
    bool number_float(double value, const std::string&) override { return on_value(value); }
    bool string(std::string& value) override {
        if (depth_ != 2 || field_ != SenmlField::data) return on_value(std::move(value));
        auto bytes = from_base64(value);
        if (!bytes) return fail(bytes.error());
        return on_value(std::move(*bytes));
    }
    bool binary(binary_t&) override { return fail("binary"); }

    bool start_object(std::size_t) override {
        if (depth_ == 1) {
            record_ = {};
            members_ = 0;
        }
        return enter(depth_ == 1);
    }
    bool end_object() override {
        if (--depth_ != 1) return true;
        if (auto added = resolver_.add(std::move(record_)); !added) return fail(added.error());
        return true;
    }
    bool start_array(std::size_t) override { return enter(depth_ == 0); }
    bool end_array() override {
        --depth_;
        return true;
    }
    bool key(std::string& member) override {
        if (depth_ != 2) return true;
        if (++members_ > kMaxRecordMembers) return fail(make_error(Errc::too_large, "senml json: too many fields"));
        const auto field = senml_field(member);
        if (!field) return fail("a field that must be understood is not known");
        field_ = *field;
        return true;
    }
    bool parse_error(std::size_t offset, const std::string&, const Json::exception&) override {
        return fail(make_error(Errc::invalid_argument, "senml json: no JSON at offset " + std::to_string(offset)));
    }

  private:
    bool fail(Error error) {
        error_ = std::move(error);
        return false;
    }
    bool fail(const char* what) { return fail(malformed(what)); }

    // `expected`: a pack or record begins where one belongs.
    bool enter(bool expected) {
        const bool ignored = depth_ >= 2 && field_ == SenmlField::other;
        if (!expected && !ignored) return fail("a pack is an array of objects");
        if (++depth_ > kMaxDepth) return fail(make_error(Errc::too_large, "senml json: nested too deep"));
        return true;
    }

    template <class T>
    bool on_value(T&& value) {
        if (depth_ < 2) return fail("a pack is an array of objects");
        if (depth_ > 2) return true;
        if (auto set = record_.set(field_, Value(std::forward<T>(value))); !set) return fail(set.error());
        return true;
    }

    SenmlResolver resolver_;
    SenmlRecord record_;
    SenmlField field_ = SenmlField::other;
    std::size_t depth_ = 0;
    std::size_t members_ = 0;
    Error error_ = malformed("not a pack");
};

void append_string(std::string_view text, std::string& out) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out.push_back('"');
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (byte < 0x20) {
            out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
}

void append_member(std::string_view name, std::string& out) {
    if (out.back() != '{') out.push_back(',');
    append_string(name, out);
    out.push_back(':');
}

struct ValueAppender {
    std::string& out;

    void operator()(std::monostate) const {}
    void operator()(std::int64_t v) const { number(std::to_string(v)); }
    void operator()(std::uint64_t v) const { number(std::to_string(v)); }
    void operator()(double v) const { number(json_number(v)); }
    void operator()(Time v) const { number(std::to_string(v.seconds)); }
    void operator()(bool v) const {
        append_member("vb", out);
        out.append(v ? "true" : "false");
    }
    void operator()(const std::string& v) const { text("vs", v); }
    void operator()(const CoreLink& v) const { text("vs", v.text); }
    void operator()(const Bytes& v) const { text("vd", base64url(v)); }
    void operator()(ObjectLink v) const { text("vlo", v.to_string()); }

    void number(std::string_view digits) const {
        append_member("v", out);
        out.append(digits);
    }
    void text(std::string_view member, std::string_view value) const {
        append_member(member, out);
        append_string(value, out);
    }
};

void append_record(const SenmlOutput& record, std::string& out) {
    out.push_back('{');
    if (record.base_name) {
        append_member("bn", out);
        append_string(*record.base_name, out);
    }
    if (!record.name.empty()) {
        append_member("n", out);
        append_string(record.name, out);
    }
    std::visit(ValueAppender{out}, *record.value);
    if (record.time) {
        append_member("t", out);
        out.append(plain_decimal(*record.time));
    }
    out.push_back('}');
}

}  // namespace

Result<void> decode_senml_json(ByteView payload, RecordSink& sink) {
    PackHandler handler(sink);
    if (!Json::sax_parse(payload.begin(), payload.end(), &handler)) return handler.error();
    return {};
}

Result<Bytes> encode_senml_json(const EncodeInput& input) {
    const auto records = senml_outputs(input.base, input.records);
    if (!records) return records.error();
    std::string out = "[";
    for (const auto& record : *records) {
        if (out.size() > 1) out.push_back(',');
        append_record(record, out);
    }
    out.push_back(']');
    const ByteView bytes = as_bytes(out);
    return Bytes(bytes.begin(), bytes.end());
}

}  // namespace lanyard::lwm2m
