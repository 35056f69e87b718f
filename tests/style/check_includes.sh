#!/bin/sh
# Rules that neither compiler nor linker sees. Prints every offending line; empty output is a pass.
# Usage: check_includes.sh SOURCE_ROOT
cd "$1" || exit 2
found=0
ban() {  # ban <what, and what instead> <regex> <path>...
    why=$1; regex=$2; shift 2
    hits=$(grep -rnE "$regex" "$@" --include='*.cpp' --include='*.hpp' 2>/dev/null)
    [ -z "$hits" ] && return
    printf '%s\n%s\n' "== $why" "$hits"; found=1
}
sans_io=$(for lib in base coap filter identity lwm2m lwm2m_coap device; do
    printf 'libs/%s/include libs/%s/src ' "$lib" "$lib"
done)

ban 'relative include: use "<lib>/<file>.hpp"' '^ *# *include +"\.\.?/' libs services tests
io='boost/(asio|beast)|sys/|netinet|arpa|hiredis|librdkafka|grpc|thread|mutex|atomic|condition_variable|(f|io)stream'
clock='(steady|system)_clock::now\(|[^_a-z]time\('
waiting=$(find libs services -name testing -prune -o -type d -name src -print)

ban 'I/O in a sans-I/O library: return an action instead' "# *include +<($io)" $sans_io
ban 'clock read in a sans-I/O library: take the time as a parameter' "$clock" $sans_io
ban 'sleep: wait for the event, or advance the fake clock' 'sleep_for|sleep_until|[^_a-z]u?sleep\(' $waiting
ban 'detached thread: nobody can stop it or see its error' '\.detach\(\)' libs services
ban 'catch (...): name what you expect' 'catch *\( *\.\.\. *\)' libs services
ban 'a TODO is an issue' 'TODO|FIXME' libs services tests
ban 'a service must not know how it is composed' 'all.in.one|all_in_one|dev_mode|\bis_dev\b' \
    services/coap_ingress services/registry services/observation services/api
exit $found
