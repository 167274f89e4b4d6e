package android.os;

import phone.Phone;

public final class PowerManager {
    public static final int PARTIAL_WAKE_LOCK = 1;
    public static final String ACTION_POWER_SAVE_MODE_CHANGED = "android.os.action.POWER_SAVE_MODE_CHANGED";
    public static final String ACTION_DEVICE_IDLE_MODE_CHANGED = "android.os.action.DEVICE_IDLE_MODE_CHANGED";

    public WakeLock newWakeLock(int levelAndFlags, String tag) {
        return new WakeLock(tag);
    }

    public boolean isPowerSaveMode() {
        return Phone.powerSave;
    }

    public boolean isDeviceIdleMode() {
        return Phone.idle;
    }

    public boolean isIgnoringBatteryOptimizations(String packageName) {
        return Phone.exempt;
    }

    public final class WakeLock {
        private final String tag;

        WakeLock(String tag) {
            this.tag = tag;
        }

        public void setReferenceCounted(boolean value) {}

        public void acquire(long timeout) {
            Phone.awake(tag, timeout);
        }

        public void release() {
            Phone.maySleep(tag);
        }

        public boolean isHeld() {
            return Phone.isAwake(tag);
        }
    }
}
