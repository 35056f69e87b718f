#include "parser.hpp"

#include <utility>

namespace lanyard::filter {

Result<std::vector<Filter::Step>> Filter::Parser::run() {
    for (;;) {
        auto token = lexer_.next();
        if (!token) return token.error();
        if (token->kind == TokenKind::end) {
            if (want_operand_) return error_at(token->position, "a comparison is missing");
            break;
        }
        if (auto done = want_operand_ ? operand(*token) : after_operand(*token); !done) return done.error();
    }
    while (!waiting_.empty()) {
        if (waiting_.back() == Waiting::open) return make_error(Errc::invalid_argument, "filter: a ')' is missing");
        emit(waiting_.back());
        waiting_.pop_back();
    }
    return std::move(steps_);
}

Result<void> Filter::Parser::operand(const Token& token) {
    if (token.kind == TokenKind::open) return push(Waiting::open, token);
    if (token.kind == TokenKind::word && token.text == "NOT") return push(Waiting::logical_not, token);
    if (token.kind != TokenKind::word) return error_at(token.position, "a field name is expected");
    return comparison(token);
}

Result<void> Filter::Parser::after_operand(const Token& token) {
    if (token.kind == TokenKind::close) return close(token);
    const bool is_and = token.kind == TokenKind::word && token.text == "AND";
    const bool is_or = token.kind == TokenKind::word && token.text == "OR";
    if (!is_and && !is_or) return error_at(token.position, "AND, OR or the end is expected");
    const Waiting waiting = is_and ? Waiting::logical_and : Waiting::logical_or;
    pop_tighter_than(waiting);
    want_operand_ = true;
    waiting_.push_back(waiting);
    return {};
}

Result<void> Filter::Parser::comparison(const Token& field) {
    if (!allowed(field.text)) return error_at(field.position, "there is no field \"" + field.text + "\"");
    if (++terms_ > kMaxTerms) return make_error(Errc::too_large, "filter: more than 64 comparisons");
    auto comparator = lexer_.next();
    if (!comparator) return comparator.error();
    auto value = lexer_.next();
    if (!value) return value.error();
    Step step;
    if (comparator->kind == TokenKind::not_equals) {
        step.op = Op::not_equals;
    } else if (comparator->kind != TokenKind::equals && comparator->kind != TokenKind::has) {
        return error_at(comparator->position, "'=', '!=' or ':' is expected");
    }
    if (value->kind != TokenKind::word && value->kind != TokenKind::text) {
        return error_at(value->position, "a value is expected");
    }
    step.field = field.text;
    step.value = std::move(value->text);
    if (!step.value.empty() && step.value.back() == '*') {
        step.prefix = true;
        step.value.pop_back();
        if (comparator->kind == TokenKind::has && step.value.empty()) step.op = Op::is_set;
    }
    steps_.push_back(std::move(step));
    want_operand_ = false;
    return {};
}

Result<void> Filter::Parser::push(Waiting waiting, const Token& token) {
    if (waiting_.size() >= 2 * kMaxDepth) return error_at(token.position, "nested too deeply");
    waiting_.push_back(waiting);
    return {};
}

Result<void> Filter::Parser::close(const Token& token) {
    while (!waiting_.empty() && waiting_.back() != Waiting::open) {
        emit(waiting_.back());
        waiting_.pop_back();
    }
    if (waiting_.empty()) return error_at(token.position, "')' without '('");
    waiting_.pop_back();
    return {};
}

// AIP-160: NOT binds tightest, then OR, then AND.
void Filter::Parser::pop_tighter_than(Waiting waiting) {
    while (!waiting_.empty() && waiting_.back() >= waiting && waiting_.back() != Waiting::open) {
        emit(waiting_.back());
        waiting_.pop_back();
    }
}

void Filter::Parser::emit(Waiting waiting) {
    Step step;
    step.op = waiting == Waiting::logical_and  ? Op::logical_and
              : waiting == Waiting::logical_or ? Op::logical_or
                                               : Op::logical_not;
    steps_.push_back(std::move(step));
}

bool Filter::Parser::allowed(std::string_view field) const {
    for (const std::string_view name : fields_) {
        if (name == field) return true;
        const bool any_below = name.size() > 2 && name.ends_with(".*");
        if (any_below && field.size() >= name.size() && field.starts_with(name.substr(0, name.size() - 1))) return true;
    }
    return false;
}

}  // namespace lanyard::filter
