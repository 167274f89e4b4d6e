package android.content;

import java.util.HashMap;
import java.util.Map;
import phone.Phone;

public class Intent {
    public static final String ACTION_BATTERY_CHANGED = "android.intent.action.BATTERY_CHANGED";
    public static final String ACTION_USER_UNLOCKED = "android.intent.action.USER_UNLOCKED";

    private final String action;
    private final Map<String, Integer> extras = new HashMap<>();

    public Intent(String action) {
        this.action = action;
    }

    public Intent(Context context, Class<?> target) {
        action = null;
        Phone.targets.put(this, target);
    }

    public String getAction() {
        return action;
    }

    public Intent putExtra(String name, int value) {
        extras.put(name, value);
        return this;
    }

    public int getIntExtra(String name, int otherwise) {
        return extras.getOrDefault(name, otherwise);
    }
}
