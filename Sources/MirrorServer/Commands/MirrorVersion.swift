/// The version of Mirror, in the one place where it is written.
package enum MirrorVersion {
    package static let number = "0.1.0"
}
