import Glibc
import MirrorServer
import Testing

@Suite struct OpenFileLimitTests {
    @Test func theLimitInForceIsRaisedToTheHighestAllowed() throws {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        try #require(getrlimit(resource, &limit) == 0)
        limit.rlim_cur = limit.rlim_max / 2
        try #require(setrlimit(resource, &limit) == 0)
        #expect(OpenFileLimit.raise() == UInt64(limit.rlim_max))
        try #require(getrlimit(resource, &limit) == 0)
        #expect(limit.rlim_cur == limit.rlim_max)
    }
}
