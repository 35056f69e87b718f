#include "runtime/tcp_relay.hpp"

#include <array>
#include <utility>

#include <boost/asio/write.hpp>

#include "runtime/event_loop.hpp"
#include "tcp_endpoint.hpp"

namespace lanyard::runtime {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// A pair of connections; gone when either side ends.
class Pair : public std::enable_shared_from_this<Pair> {
  public:
    Pair(tcp::socket client, std::size_t& count)
        : client_(std::move(client)), server_(client_.get_executor()), count_(count) {
        ++count_;
    }
    ~Pair() { --count_; }

    void connect(const tcp::endpoint& target) {
        server_.async_connect(target, [self = shared_from_this()](error_code failed) {
            if (failed) return;
            self->pass(self->client_, self->server_, self->up_);
            self->pass(self->server_, self->client_, self->down_);
        });
    }

  private:
    using Buffer = std::array<std::byte, 32768>;

    void pass(tcp::socket& from, tcp::socket& to, Buffer& buffer) {
        from.async_read_some(asio::buffer(buffer), [&, self = shared_from_this()](error_code failed, std::size_t size) {
            if (failed) return self->close();
            asio::async_write(to, asio::buffer(buffer, size), [&, self](error_code unsent, std::size_t) {
                if (unsent) return self->close();
                self->pass(from, to, buffer);
            });
        });
    }

    void close() {
        error_code ignored;  // closing what is closed already
        client_.close(ignored);
        server_.close(ignored);
    }

    tcp::socket client_;
    tcp::socket server_;
    std::size_t& count_;
    Buffer up_;
    Buffer down_;
};

}  // namespace

struct TcpRelay::Impl {
    explicit Impl(const TcpRelayOptions& wanted) : options(wanted) {}

    void accept() {
        acceptor.async_accept([this](error_code failed, tcp::socket socket) {
            if (failed == asio::error::operation_aborted) return;
            if (failed) {
                // Out of descriptors or the like: wait before the next try, not to spin.
                loop.after(std::chrono::milliseconds(100), [this] { accept(); });
                return;
            }
            if (connections < options.max_connections) {
                std::make_shared<Pair>(std::move(socket), connections)->connect(to_endpoint(options.target));
            }
            accept();
        });
    }

    const TcpRelayOptions options;
    std::size_t connections = 0;  // outlives the pairs, which the loop owns
    Address local;
    EventLoop loop{"tcp-relay"};
    tcp::acceptor acceptor{loop.context()};
};

TcpRelay::TcpRelay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TcpRelay::~TcpRelay() {
    stop(Deadline::never());
}

Result<std::unique_ptr<TcpRelay>> TcpRelay::start(const TcpRelayOptions& options) {
    auto impl = std::make_unique<Impl>(options);
    if (auto bound = listen_at(impl->acceptor, options.listen, "listen at"); !bound) return bound.error();
    impl->local = from_endpoint(impl->acceptor.local_endpoint());
    impl->accept();
    impl->loop.start();
    return std::unique_ptr<TcpRelay>(new TcpRelay(std::move(impl)));
}

Address TcpRelay::local() const {
    return impl_->local;
}

void TcpRelay::stop(Deadline deadline) {
    (void)impl_->loop.stop(deadline);
}

}  // namespace lanyard::runtime
