#include "base/json_reader.hpp"

#include <charconv>

#include "base/utf8.hpp"

namespace lanyard {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            put(0xe0 | code >> 12);
        } else {
            put(0xf0 | code >> 18);
            put(0x80 | (code >> 12 & 0x3f));
        }
        put(0x80 | (code >> 6 & 0x3f));
    }
    put(0x80 | (code & 0x3f));
}

}  // namespace

void JsonReader::skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
        ++at_;
    }
}

bool JsonReader::take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
}

void JsonReader::open_object() {
    if (!take('{') || ++depth_ > kDepthMax) return fail();
    first_ = true;
    skip_space();
}

bool JsonReader::next_member(std::string& name) {
    const bool first = first_;
    first_ = false;
    if (take('}')) {
        --depth_;
        skip_space();
        return false;
    }
    if (!first) {
        if (!take(',')) fail();
        skip_space();
    }
    read_string(name);
    if (!take(':')) fail();
    skip_space();
    return ok_;
}

void JsonReader::read_string(std::string& out) {
    out.clear();
    string(&out);
    skip_space();
}

void JsonReader::string(std::string* out) {
    if (!take('"')) return fail();
    while (ok_) {
        const std::size_t from = at_;
        bool plain = true;
        while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') {
            const auto c = static_cast<unsigned char>(text_[at_++]);
            if (c < 0x20) return fail();
            plain = plain && c < 0x80;
        }
        const std::string_view run = text_.substr(from, at_ - from);
        if (!plain && !is_utf8(run)) return fail();
        if (out != nullptr) out->append(run);
        if (take('"')) return;
        if (!take('\\')) return fail();
        escape(out);
    }
}

void JsonReader::escape(std::string* out) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = peek();
    ++at_;
    if (const auto place = kLetters.find(letter); place != std::string_view::npos) {
        if (out != nullptr) out->push_back(kMeanings[place]);
        return;
    }
    if (letter != 'u') return fail();
    std::uint32_t code = hex4();
    if (code >= 0xd800 && code < 0xdc00) {
        if (!take('\\') || !take('u')) return fail();
        const std::uint32_t low = hex4();
        if (low < 0xdc00 || low >= 0xe000) return fail();
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return fail();
    }
    if (ok_ && out != nullptr) append_utf8(*out, code);
}

std::uint32_t JsonReader::hex4() {
    std::uint32_t code = 0;
    const std::string_view digits = ok_ && at_ + 4 <= text_.size() ? text_.substr(at_, 4) : std::string_view();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.empty() || error != std::errc() || end != digits.data() + 4) fail();
    at_ += 4;
    return code;
}

std::optional<std::uint64_t> JsonReader::read_unsigned() {
    const std::size_t from = at_;
    skip();
    if (!ok_ || from >= at_ || !is_digit(text_[from])) return {};
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + from, text_.data() + at_, value);
    const bool whole = end == text_.data() + at_ || (*end != '.' && *end != 'e' && *end != 'E');
    if (error != std::errc() || !whole) return {};
    return value;
}

void JsonReader::number() {
    const auto digits = [this] {
        const std::size_t from = at_;
        while (is_digit(peek())) ++at_;
        if (at_ == from) fail();
    };
    take('-');
    if (!take('0')) digits();
    if (take('.')) digits();
    if (take('e') || take('E')) {
        if (!take('+')) take('-');
        digits();
    }
}

void JsonReader::word(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return fail();
    at_ += expected.size();
}

void JsonReader::skip() {
    switch (peek()) {
        case '"':
            string(nullptr);
            break;
        case '{':
            skip_container('}');
            break;
        case '[':
            skip_container(']');
            break;
        case 't':
            word("true");
            break;
        case 'f':
            word("false");
            break;
        case 'n':
            word("null");
            break;
        default:
            number();
    }
    if (ok_) skip_space();
}

// Depth is bounded, so the recursion is.
void JsonReader::skip_container(char close) {
    ++at_;
    if (++depth_ > kDepthMax) return fail();
    skip_space();
    for (bool first = true; ok_ && !take(close); first = false) {
        if (!first && !take(',')) return fail();
        skip_space();
        if (close == '}') {
            string(nullptr);
            skip_space();
            if (!take(':')) return fail();
            skip_space();
        }
        skip();
    }
    --depth_;
}

bool JsonReader::finish() {
    if (at_ != text_.size() || depth_ != 0) fail();
    return ok_;
}

}  // namespace lanyard
