package android.app;

import android.content.ContextWrapper;
import android.os.Bundle;
import phone.Phone;

public class Application extends ContextWrapper {
    public void registerActivityLifecycleCallbacks(ActivityLifecycleCallbacks callback) {
        Phone.activities = callback;
    }

    public interface ActivityLifecycleCallbacks {
        void onActivityCreated(Activity activity, Bundle state);

        void onActivityStarted(Activity activity);

        void onActivityResumed(Activity activity);

        void onActivityPaused(Activity activity);

        void onActivityStopped(Activity activity);

        void onActivitySaveInstanceState(Activity activity, Bundle state);

        void onActivityDestroyed(Activity activity);
    }
}
