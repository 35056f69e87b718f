// Settings of jemalloc, which looks for this symbol in the program (jemalloc(3), TUNING).
//
// background_thread: without a thread of its own it gives memory back only while the same thread goes on allocating: a
// service at rest would keep what a burst left.
// tcache_max: what each thread keeps for itself ends at 1 KiB an object. With the 32 KiB of the default the caches of
// gRPC's threads fill up over hours, which looks like a leak, and costs memory for no speed that make bench can see.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,tcache_max:1024";
}
