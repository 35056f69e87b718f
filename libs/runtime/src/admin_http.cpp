#include "runtime/admin_http.hpp"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "runtime/event_loop.hpp"
#include "runtime/socket_address.hpp"
#include "tcp_endpoint.hpp"

namespace lanyard::runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kMaxHeaderBytes = 8192;
constexpr std::string_view kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";

// What is served, fixed at start(); read by the admin thread only.
struct Site {
    const telemetry::MetricRegistry& metrics;
    std::vector<std::pair<std::string, const HealthBoard*>> boards;
    std::map<std::string, AdminServer::Handler, std::less<>> handlers;
    AdminOptions options;
    std::size_t connections = 0;

    [[nodiscard]] AdminReply readiness(std::string_view query) const;
    [[nodiscard]] AdminReply answer(std::string_view target) const;
};

std::string describe(const std::string& service, const HealthBoard::Line& line) {
    std::string text = service + " " + line.name + ": " + std::string(to_string(line.state));
    if (!line.required) text += " (optional)";
    text += " for " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(line.since).count()) + " s";
    if (!line.detail.empty()) text += ": " + line.detail;
    return text + "\n";
}

AdminReply Site::readiness(std::string_view query) const {
    bool ready = true;
    std::string lines;
    for (const auto& [service, board] : boards) {
        const auto report = board->report();
        ready = ready && report.ready;
        lines += service + (report.ready ? ": ready\n" : report.draining ? ": draining\n" : ": not ready\n");
        for (const auto& line : report.lines) lines += describe(service, line);
    }
    AdminReply reply;
    reply.status = ready ? 200 : 503;
    reply.body = ready ? "ready\n" : "not ready\n";
    if (query == "verbose" || query.starts_with("verbose=") || query.starts_with("verbose&")) reply.body += lines;
    return reply;
}

AdminReply Site::answer(std::string_view target) const {
    const auto mark = target.find('?');
    const std::string_view path = target.substr(0, mark);
    const std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    if (path == "/metrics") return {200, std::string(kPrometheusText), metrics.expose()};
    if (path == "/livez") return {200, AdminReply{}.content_type, "alive\n"};
    if (path == "/readyz") return readiness(query);
    if (const auto found = handlers.find(path); found != handlers.end()) return found->second(query);
    AdminReply reply;
    reply.status = 404;
    reply.body = "There are /metrics, /livez, /readyz, /readyz?verbose";
    for (const auto& [known, handler] : handlers) reply.body += ", " + known;
    reply.body += "\n";
    return reply;
}

// One connection: read a request, answer it, again while the peer keeps it alive.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(tcp::socket socket, Site& site) : stream_(std::move(socket)), site_(site) { ++site_.connections; }
    ~Connection() { --site_.connections; }

    void read() {
        parser_.emplace();
        parser_->header_limit(kMaxHeaderBytes);
        parser_->body_limit(0);
        stream_.expires_after(site_.options.request_timeout);
        http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code failed, std::size_t) {
            if (!failed) self->answer();
        });
    }

  private:
    void answer() {
        const auto& request = parser_->get();
        const bool head = request.method() == http::verb::head;
        AdminReply reply{405, AdminReply{}.content_type, "Only GET and HEAD.\n"};
        if (head || request.method() == http::verb::get) {
            reply = site_.answer(std::string_view(request.target().data(), request.target().size()));
        }
        response_ = {};
        response_.version(request.version());
        response_.result(reply.status);
        response_.set(http::field::content_type, reply.content_type);
        response_.set(http::field::cache_control, "no-store");
        if (reply.status == 405) response_.set(http::field::allow, "GET, HEAD");
        response_.keep_alive(request.keep_alive());
        response_.content_length(reply.body.size());
        if (!head) response_.body() = std::move(reply.body);
        write(head);
    }

    void write(bool head) {
        auto done = [self = shared_from_this()](error_code failed, std::size_t) {
            if (!failed && self->response_.keep_alive()) self->read();
        };
        if (head) {
            // The length of the body that a GET would have, without the body.
            serializer_.emplace(response_);
            http::async_write_header(stream_, *serializer_, std::move(done));
        } else {
            http::async_write(stream_, response_, std::move(done));
        }
    }

    beast::tcp_stream stream_;
    Site& site_;
    beast::flat_buffer buffer_{kMaxHeaderBytes};
    std::optional<http::request_parser<http::empty_body>> parser_;
    http::response<http::string_body> response_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
};

}  // namespace

struct AdminServer::Impl {
    Impl(AdminOptions options, const telemetry::Logger& logger, const telemetry::MetricRegistry& registry)
        : log(logger), site{registry, {}, {}, options, 0} {}

    const telemetry::Logger& log;
    Site site;  // outlives the connections, which the loop owns
    Address local;
    EventLoop loop{"admin-http"};
    tcp::acceptor acceptor{loop.context()};

    Result<void> listen();
    void accept();
};

Result<void> AdminServer::Impl::listen() {
    if (auto bound = listen_at(acceptor, site.options.bind, "admin.listen"); !bound) return bound;
    local = from_endpoint(acceptor.local_endpoint());
    return {};
}

void AdminServer::Impl::accept() {
    acceptor.async_accept([this](error_code failed, tcp::socket socket) {
        if (failed == asio::error::operation_aborted) return;
        if (!failed && site.connections < site.options.max_connections) {
            std::make_shared<Connection>(std::move(socket), site)->read();
        } else if (failed) {
            // Out of descriptors or the like: wait before the next try, not to spin.
            loop.after(std::chrono::milliseconds(100), [this] { accept(); });
            return;
        }
        accept();
    });
}

AdminServer::AdminServer(AdminOptions options, const telemetry::Logger& log, const telemetry::MetricRegistry& metrics)
    : impl_(std::make_unique<Impl>(options, log, metrics)) {}

AdminServer::~AdminServer() {
    stop(Deadline::never());
}

void AdminServer::add_health(std::string service, const HealthBoard& board) {
    impl_->site.boards.emplace_back(std::move(service), &board);
}

void AdminServer::handle(std::string path, Handler handler) {
    impl_->site.handlers.insert_or_assign(std::move(path), std::move(handler));
}

Result<void> AdminServer::start() {
    if (auto listening = impl_->listen(); !listening) return listening;
    if (!is_loopback(impl_->local)) {
        impl_->log.warn("the admin port is reachable from other hosts and has no authentication",
                        {{"address", to_string(impl_->local)}});
    }
    impl_->accept();
    impl_->loop.start();
    return {};
}

Address AdminServer::local() const {
    return impl_->local;
}

void AdminServer::stop(Deadline deadline) {
    if (!impl_->loop.stop(deadline)) {
        impl_->log.warn("an admin request did not end in time");
        return;
    }
    error_code ignored;
    impl_->acceptor.close(ignored);
}

}  // namespace lanyard::runtime
