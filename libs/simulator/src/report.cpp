#include "simulator/report.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace lanyard::simulator {
namespace {

using nlohmann::ordered_json;

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
    std::array<char, 512> buffer;
    va_list arguments;
    va_start(arguments, format);
    const int length = std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
    va_end(arguments);
    return {buffer.data(), std::min<std::size_t>(static_cast<std::size_t>(length), buffer.size() - 1)};
}

double milliseconds(const Histogram& latency, double share) {
    return latency.quantile(share) / 1000.0;
}

std::uint64_t error_count(const ExchangeTotals& totals) {
    std::uint64_t count = 0;
    for (const auto& [code, errors] : totals.errors) count += errors;
    return count;
}

std::string errors_text(const ExchangeTotals& totals) {
    std::string line;
    for (const auto& [code, errors] : totals.errors) line += "  " + code + " x" + std::to_string(errors);
    return line;
}

double per_second(const LoadResult& result) {
    return result.seconds > 0 ? static_cast<double>(result.totals.acknowledged) / result.seconds : 0;
}

double loader_us_each(const LoadResult& result) {
    const auto count = static_cast<double>(result.totals.acknowledged);
    return count > 0 ? result.loader_cpu_seconds * 1e6 / count : 0;
}

std::string latency_text(const Histogram& latency) {
    return text("p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f ms", milliseconds(latency, 0.5),
                milliseconds(latency, 0.9), milliseconds(latency, 0.99), milliseconds(latency, 0.999),
                latency.max() / 1000.0);
}

ordered_json latency_json(const Histogram& latency) {
    return {{"p50", latency.quantile(0.5)},
            {"p90", latency.quantile(0.9)},
            {"p99", latency.quantile(0.99)},
            {"p999", latency.quantile(0.999)},
            {"max", latency.max()}};
}

ordered_json errors_json(const ExchangeTotals& totals) {
    ordered_json errors = ordered_json::object();
    for (const auto& [code, count] : totals.errors) errors[code] = count;
    return errors;
}

ordered_json load_object(const LoadResult& result) {
    return {{"load", to_string(result.phase.kind)},
            {"seconds", result.seconds},
            {"sent", result.totals.sent},
            {"acknowledged", result.totals.acknowledged},
            {"per_second", per_second(result)},
            {"errors", errors_json(result.totals)},
            {"retransmitted", result.retransmissions},
            {"unanswered", result.unanswered},
            {"held_back", result.held_back},
            {"latency_us", latency_json(result.totals.latency)},
            {"sent_bytes", result.sent_bytes},
            {"received_bytes", result.received_bytes},
            {"loader_cpu_us_each", loader_us_each(result)}};
}

std::string load_text(const LoadResult& result) {
    const std::string name(to_string(result.phase.kind));
    std::string lines = text("load %s: %llu acknowledged of %llu sent in %.1f s = %.0f/s, %.2f us of loader CPU each\n",
                             name.c_str(), static_cast<unsigned long long>(result.totals.acknowledged),
                             static_cast<unsigned long long>(result.totals.sent), result.seconds, per_second(result),
                             loader_us_each(result));
    lines += "  latency " + latency_text(result.totals.latency) + "\n";
    lines += text("  retransmitted %llu, unanswered %llu, held back %llu, errors %llu",
                  static_cast<unsigned long long>(result.retransmissions),
                  static_cast<unsigned long long>(result.unanswered), static_cast<unsigned long long>(result.held_back),
                  static_cast<unsigned long long>(error_count(result.totals)));
    return lines + errors_text(result.totals) + "\n";
}

}  // namespace

std::string progress_line(const Progress& progress) {
    std::string line =
        text("%6.0f s  %llu/%zu registered  %.0f acknowledged/s  %llu retransmitted", progress.seconds,
             static_cast<unsigned long long>(progress.fleet.registered_now), progress.count,
             progress.acknowledged_per_s, static_cast<unsigned long long>(progress.fleet.retransmissions));
    if (progress.load != nullptr) {
        const std::string name(to_string(progress.load->phase.kind));
        line += text("  %s: p99 %.2f ms, %llu errors", name.c_str(), milliseconds(progress.load->totals.latency, 0.99),
                     static_cast<unsigned long long>(error_count(progress.load->totals)));
    } else {
        line += text("  %llu notifications", static_cast<unsigned long long>(progress.fleet.notifications_con +
                                                                             progress.fleet.notifications_non));
        line += text("  %s %.2f Cel", progress.last_endpoint.c_str(), progress.last_temperature);
    }
    return line;
}

std::string summary_text(const SimulateSummary& summary) {
    std::string lines = text("%zu devices for %.1f s, %llu registered at the end", summary.count, summary.seconds,
                             static_cast<unsigned long long>(summary.fleet.registered_now));
    lines += summary.seconds_until_registered > 0 ? text(", all after %.1f s\n", summary.seconds_until_registered)
                                                  : std::string("\n");
    for (const auto& [kind, totals] : summary.exchanges) {
        if (totals.sent == 0) continue;
        lines +=
            text("  %-10s %llu acknowledged of %llu  ", std::string(to_string(kind)).c_str(),
                 static_cast<unsigned long long>(totals.acknowledged), static_cast<unsigned long long>(totals.sent));
        lines += latency_text(totals.latency) + errors_text(totals) + "\n";
    }
    lines += text("  %llu CON and %llu NON notifications, %llu requests answered, %llu retransmissions\n",
                  static_cast<unsigned long long>(summary.fleet.notifications_con),
                  static_cast<unsigned long long>(summary.fleet.notifications_non),
                  static_cast<unsigned long long>(summary.fleet.requests_answered),
                  static_cast<unsigned long long>(summary.fleet.retransmissions));
    if (summary.load) lines += load_text(*summary.load);
    return lines;
}

std::string load_json(const LoadResult& result) {
    return load_object(result).dump();
}

std::string summary_json(const SimulateSummary& summary) {
    ordered_json exchanges = ordered_json::object();
    for (const auto& [kind, totals] : summary.exchanges) {
        if (totals.sent == 0) continue;
        exchanges[std::string(to_string(kind))] = {{"sent", totals.sent},
                                                   {"acknowledged", totals.acknowledged},
                                                   {"errors", errors_json(totals)},
                                                   {"latency_us", latency_json(totals.latency)}};
    }
    ordered_json object{
        {"seconds", summary.seconds},
        {"devices", summary.count},
        {"registered", summary.fleet.registered_now},
        {"seconds_until_registered", summary.seconds_until_registered},
        {"retransmitted", summary.fleet.retransmissions},
        {"answered", summary.fleet.requests_answered},
        {"send_dropped", summary.send_dropped},
        {"notifications", {{"con", summary.fleet.notifications_con}, {"non", summary.fleet.notifications_non}}},
        {"exchanges", std::move(exchanges)}};
    if (summary.load) object["load"] = load_object(*summary.load);
    return object.dump();
}

}  // namespace lanyard::simulator
