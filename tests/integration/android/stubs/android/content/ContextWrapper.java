package android.content;

import phone.Phone;

public class ContextWrapper extends Context {
    @Override
    public ComponentName startForegroundService(Intent service) {
        Phone.startService(Phone.targets.get(service));
        return new ComponentName();
    }

    @Override
    public boolean stopService(Intent service) {
        Phone.stopService();
        return true;
    }

    @Override
    public Intent registerReceiver(BroadcastReceiver receiver, IntentFilter filter) {
        Phone.receiver = receiver;
        return Phone.battery(100, true);
    }

    @Override
    public Object getSystemService(String name) {
        return Phone.system(name);
    }

    @Override
    public String getPackageName() {
        return "app";
    }
}
