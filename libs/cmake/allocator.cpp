// Settings of jemalloc, which looks for this symbol in the program (jemalloc(3), TUNING). Without a thread of its own
// it gives memory back only while the same thread goes on allocating: a service at rest would keep what a burst left.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true";
}
