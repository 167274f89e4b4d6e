package android.net;

import phone.Phone;

public class ConnectivityManager {
    public void registerDefaultNetworkCallback(NetworkCallback callback) {
        Phone.network = callback;
    }

    public static class NetworkCallback {
        public void onCapabilitiesChanged(Network network, NetworkCapabilities capabilities) {}
    }
}
