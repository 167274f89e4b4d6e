package android.content;

public abstract class Context {
    public static final String POWER_SERVICE = "power";
    public static final String USER_SERVICE = "user";
    public static final String CONNECTIVITY_SERVICE = "connectivity";
    public static final String NOTIFICATION_SERVICE = "notification";

    public abstract ComponentName startForegroundService(Intent service);

    public abstract boolean stopService(Intent service);

    public abstract Intent registerReceiver(BroadcastReceiver receiver, IntentFilter filter);

    public abstract Object getSystemService(String name);

    public abstract String getPackageName();
}
