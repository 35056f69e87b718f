#include "redis/command.hpp"

#include "base/assert.hpp"

namespace lanyard::redis {
namespace {

void append_length(std::string& out, char kind, std::size_t length) {
    out.push_back(kind);
    out += std::to_string(length);
    out += "\r\n";
}

void append_word(std::string& out, std::string_view word) {
    append_length(out, '$', word.size());
    out += word;
    out += "\r\n";
}

}  // namespace

void Batch::add(Args args) {
    add_words({}, args, {});
}

void Batch::eval(const Script& script, Args keys, Args args) {
    const std::string count = std::to_string(keys.size());
    add_words({"EVALSHA", script.sha1(), count}, keys, args);
}

std::string_view Batch::encoded(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
}

void Batch::add_words(ArgList head, Args middle, Args tail) {
    LANYARD_ASSERT(head.size() + middle.size() > 0);  // the server would not answer it
    append_length(bytes_, '*', head.size() + middle.size() + tail.size());
    for (const auto word : head) append_word(bytes_, word);
    for (const auto word : middle) append_word(bytes_, word);
    for (const auto word : tail) append_word(bytes_, word);
    ends_.push_back(bytes_.size());
}

}  // namespace lanyard::redis
