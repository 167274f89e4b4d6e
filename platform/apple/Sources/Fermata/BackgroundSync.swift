import FermataApple
import Foundation

/// Keeps sync running when the app leaves the screen.
///
///     BackgroundSync.shared.start()
///     BackgroundSync.shared.stop()
///     BackgroundSync.shared.isOn
///
/// Thread-safe. What the app must declare for it is in platform/apple/README.md.
public final class BackgroundSync {
    public static let shared = BackgroundSync()

    /// When there is something to hold for.
    public enum Mode {
        /// A peer is connected, or was half a minute ago, or something is unsynced.
        case whilePeersConnected
        /// Something is unsent or not yet received.
        case whileUnsynced
        /// Also alone.
        case always
    }

    /// Which means may be used.
    public enum Distribution {
        /// Everything that Info.plist allows, silent audio included: for apps that no store reviews.
        case `private`
        /// Only what the App Store accepts.
        case appStore
    }

    /// What was observed to be true at one moment.
    public struct Status {
        public let isOn: Bool
        public let isSyncing: Bool
        /// What keeps the app from being suspended, such as "silent_audio"; nil when nothing does.
        public let strategy: String?
        /// One sentence for people: why it is so.
        public let reason: String
        public let interruptions: UInt64
        public let recoveries: UInt64

        init(_ status: FMTBackgroundSyncStatus) {
            isOn = status.isOn
            isSyncing = status.isSyncing
            strategy = status.isHolding ? status.strategy : nil
            reason = status.reason
            interruptions = status.interruptions
            recoveries = status.recoveries
        }
    }

    private let keeper = FMTBackgroundSync.shared

    private init() {}

    /// To be called in `application(_:didFinishLaunchingWithOptions:)`, and only there: lets the system wake the app for
    /// sync, if Info.plist names tasks for that.
    public static func registerBackgroundTasks() {
        FMTBackgroundSync.registerBackgroundTasks()
    }

    /// Asks to keep syncing in the background. Costs nothing on the screen or while there is nothing to sync. Idempotent.
    public func start(mode: Mode = .whilePeersConnected, distribution: Distribution = .private) {
        keeper.start(mode: mode.bridged, storeSafe: distribution == .appStore)
    }

    /// Takes that back. Idempotent.
    public func stop() {
        keeper.stop()
    }

    /// What was asked for last. Not what is true: see `status`.
    public var isOn: Bool { keeper.isOn }

    public var status: Status { Status(keeper.status) }

    /// A declared need of the app's own, such as an upload: the app is held while it lives, or until `end()`.
    public final class Hold {
        private let hold: FMTHold

        init(_ hold: FMTHold) { self.hold = hold }

        public func end() { hold.end() }
    }

    /// `reason` is for people, in `status`.
    public func hold(reason: String) -> Hold { Hold(keeper.hold(reason: reason)) }

    /// Calls back on the main thread after each change, and once soon. One observer; nil removes it.
    public func observe(_ observer: ((Status) -> Void)?) {
        guard let observer else {
            keeper.observe(nil)
            return
        }
        keeper.observe { observer(Status($0)) }
    }
}

extension BackgroundSync.Mode {
    fileprivate var bridged: FMTBackgroundMode {
        switch self {
        case .whilePeersConnected: return .whilePeersConnected
        case .whileUnsynced: return .whileUnsynced
        case .always: return .always
        }
    }
}
