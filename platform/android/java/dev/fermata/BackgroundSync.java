package dev.fermata;

import android.app.Application;
import android.app.Notification;

/**
 * Keeps sync running when the app leaves the screen. Thread-safe. What the app must declare for it is in
 * platform/android/README.md; what it means, in fermata/background_sync.hpp.
 */
public final class BackgroundSync {
    /** When there is something to hold for. */
    public enum Mode {
        /** A peer is connected, or was half a minute ago, or something is unsynced. */
        WHILE_PEERS_CONNECTED,
        /** Something is unsent or not yet received. */
        WHILE_UNSYNCED,
        /** Also alone. */
        ALWAYS
    }

    private static BackgroundSync only;

    private BackgroundSync() {}

    /** To be called first in Application.onCreate, before the first activity is made. */
    public static synchronized BackgroundSync shared(Application application) {
        if (only == null) {
            Keepalive.attach(application);
            only = new BackgroundSync();
        }
        return only;
    }

    /** Asks to keep syncing in the background. Costs nothing on the screen or while there is nothing to sync. Idempotent. */
    public void start() {
        start(Mode.WHILE_PEERS_CONNECTED);
    }

    public void start(Mode mode) {
        Native.start(mode.ordinal());
    }

    /** Takes that back. Idempotent. */
    public void stop() {
        Native.stop();
    }

    /** What was asked for last. Not what is true. */
    public boolean isOn() {
        return Native.isOn();
    }

    /** Peers are running. */
    public boolean isSyncing() {
        return Native.isSyncing();
    }

    /** The foreground service runs. */
    public boolean isHolding() {
        return Native.isHolding();
    }

    /** One sentence for people: why it is so. */
    public String reason() {
        return Native.reason();
    }

    /** What people see while the service runs, instead of a plain "Syncing". Its channel is the app's own. */
    public void setNotification(Notification notification) {
        Keepalive.attached().setNotification(notification);
    }
}
