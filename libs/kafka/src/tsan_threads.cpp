// ThreadSanitizer knows pthreads, not C11 threads: it crashes in a thread that thrd_create() has started, and does not
// see the locks that hand messages over. Debian's librdkafka has C11 threads, so in that build (and no other) these
// definitions go before those of glibc, whose types have the layout of their pthread twins.
#include <cerrno>
#include <cstdint>
#include <memory>

#include <pthread.h>
#include <threads.h>

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));

namespace {

struct Start {
    thrd_start_t function;
    void* argument;
};

void* run(void* raw) {
    const std::unique_ptr<Start> start(static_cast<Start*>(raw));
    const std::intptr_t result = start->function(start->argument);
    return reinterpret_cast<void*>(result);
}

pthread_mutex_t* native(mtx_t* mutex) {
    return reinterpret_cast<pthread_mutex_t*>(mutex);
}
pthread_cond_t* native(cnd_t* condition) {
    return reinterpret_cast<pthread_cond_t*>(condition);
}

int status(int error) {
    switch (error) {
        case 0:
            return thrd_success;
        case EBUSY:
            return thrd_busy;
        case ETIMEDOUT:
            return thrd_timedout;
        case ENOMEM:
            return thrd_nomem;
        default:
            return thrd_error;
    }
}

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
    auto start = std::make_unique<Start>(Start{function, argument});
    const int error = pthread_create(thread, nullptr, run, start.get());
    if (error == 0) static_cast<void>(start.release());  // run() has it
    return status(error);
}

int thrd_join(thrd_t thread, int* result) {
    void* raw = nullptr;
    const int error = pthread_join(thread, &raw);
    if (error == 0 && result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(raw));
    return status(error);
}

int mtx_init(mtx_t* mutex, int type) noexcept {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    const int error = pthread_mutex_init(native(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return status(error);
}

int mtx_lock(mtx_t* mutex) {
    return status(pthread_mutex_lock(native(mutex)));
}
int mtx_unlock(mtx_t* mutex) noexcept {
    return status(pthread_mutex_unlock(native(mutex)));
}
void mtx_destroy(mtx_t* mutex) noexcept {
    pthread_mutex_destroy(native(mutex));
}

int cnd_init(cnd_t* condition) noexcept {
    return status(pthread_cond_init(native(condition), nullptr));
}
int cnd_signal(cnd_t* condition) noexcept {
    return status(pthread_cond_signal(native(condition)));
}
int cnd_broadcast(cnd_t* condition) noexcept {
    return status(pthread_cond_broadcast(native(condition)));
}
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    return status(pthread_cond_wait(native(condition), native(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
    return status(pthread_cond_timedwait(native(condition), native(mutex), until));
}
void cnd_destroy(cnd_t* condition) noexcept {
    pthread_cond_destroy(native(condition));
}

}  // extern "C"
