#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "filter/filter.hpp"
#include "lexer.hpp"

namespace lanyard::filter {

// Shunting yard: operators wait on a stack until one that binds less comes, so no recursion on input.
class Filter::Parser {
  public:
    Parser(std::string_view text, std::span<const std::string_view> fields) : lexer_(text), fields_(fields) {}
    [[nodiscard]] Result<std::vector<Step>> run();

  private:
    enum class Waiting : std::uint8_t { open, logical_and, logical_or, logical_not };

    [[nodiscard]] Result<void> operand(const Token& token);
    [[nodiscard]] Result<void> after_operand(const Token& token);
    [[nodiscard]] Result<void> comparison(const Token& field);
    [[nodiscard]] Result<void> push(Waiting waiting, const Token& token);
    [[nodiscard]] Result<void> close(const Token& token);
    void pop_tighter_than(Waiting waiting);
    void emit(Waiting waiting);
    [[nodiscard]] bool allowed(std::string_view field) const;

    Lexer lexer_;
    std::span<const std::string_view> fields_;
    std::vector<Step> steps_;
    std::vector<Waiting> waiting_;
    std::size_t terms_ = 0;
    bool want_operand_ = true;
};

}  // namespace lanyard::filter
