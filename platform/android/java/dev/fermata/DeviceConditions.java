package dev.fermata;

import android.app.Application;
import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.net.ConnectivityManager;
import android.net.Network;
import android.net.NetworkCapabilities;
import android.os.BatteryManager;
import android.os.PowerManager;
import android.os.UserManager;

/** What the system says about the device: power saving, the battery, a metered network, locked files, Doze. */
final class DeviceConditions extends BroadcastReceiver {
    private final Application application;
    private final Keepalive keepalive;
    private final PowerManager power;
    private final UserManager user;
    private int batteryPercent = -1;
    private boolean metered;
    private boolean dozing;

    DeviceConditions(Application application, Keepalive keepalive) {
        this.application = application;
        this.keepalive = keepalive;
        power = Keepalive.system(application, Context.POWER_SERVICE, PowerManager.class);
        user = Keepalive.system(application, Context.USER_SERVICE, UserManager.class);
    }

    void start() {
        IntentFilter filter = new IntentFilter(Intent.ACTION_BATTERY_CHANGED);
        filter.addAction(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED);
        filter.addAction(PowerManager.ACTION_DEVICE_IDLE_MODE_CHANGED);
        filter.addAction(Intent.ACTION_USER_UNLOCKED);
        Intent battery = application.registerReceiver(this, filter);  // the battery's last word comes at once
        if (battery != null) {
            readBattery(battery);
        }
        ConnectivityManager network =
                Keepalive.system(application, Context.CONNECTIVITY_SERVICE, ConnectivityManager.class);
        network.registerDefaultNetworkCallback(new ConnectivityManager.NetworkCallback() {
            @Override
            public void onCapabilitiesChanged(Network which, NetworkCapabilities capabilities) {
                setMetered(!capabilities.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED));
            }
        });
        report();
    }

    @Override
    public void onReceive(Context context, Intent intent) {
        if (Intent.ACTION_BATTERY_CHANGED.equals(intent.getAction())) {
            if (!readBattery(intent)) {
                return;  // it is told about volts and degrees too
            }
        } else if (PowerManager.ACTION_DEVICE_IDLE_MODE_CHANGED.equals(intent.getAction())) {
            readDoze();
            return;
        }
        report();
    }

    /** Whether it changed. */
    private synchronized boolean readBattery(Intent intent) {
        int level = intent.getIntExtra(BatteryManager.EXTRA_LEVEL, -1);
        int scale = intent.getIntExtra(BatteryManager.EXTRA_SCALE, -1);
        boolean discharges = intent.getIntExtra(BatteryManager.EXTRA_PLUGGED, 0) == 0;
        int now = discharges && level >= 0 && scale > 0 ? level * 100 / scale : -1;
        boolean changed = now != batteryPercent;
        batteryPercent = now;
        return changed;
    }

    // Doze takes the network and ignores wake locks, with a service or without, unless people exempted the app.
    private void readDoze() {
        boolean now = power.isDeviceIdleMode() && !power.isIgnoringBatteryOptimizations(application.getPackageName());
        boolean changed;
        synchronized (this) {
            changed = now != dozing;
            dozing = now;
        }
        if (changed) {
            keepalive.dozing(now);
        }
    }

    private void setMetered(boolean now) {
        synchronized (this) {
            if (now == metered) {
                return;
            }
            metered = now;
        }
        report();
    }

    private synchronized void report() {
        Native.conditions(power.isPowerSaveMode(), batteryPercent, metered, user.isUserUnlocked());
    }
}
