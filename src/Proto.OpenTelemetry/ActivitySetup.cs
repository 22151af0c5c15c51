using System.Diagnostics;

namespace Proto.OpenTelemetry;

/// <summary>Adds an application's own tags to an activity.</summary>
public delegate void ActivitySetup(Activity activity, object message);
