using Dunlin.Agent.Configuration;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.State;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;

namespace Dunlin.Agent.Serving;

/// <summary>A bundle that this device may run.</summary>
internal sealed record ServedRelease(Bundle Bundle, bool IsSigned)
{
    public override string ToString() => $"{Bundle.Manifest.Name} {Bundle.Manifest.Label}";
}

/// <summary>Opens the device's bundle and decides whether it may run: by the trusted root, or unsigned where that is allowed and no root is there.</summary>
internal sealed class ReleaseGate(DeviceOptions device, UpdateOptions updates, StateFiles files)
{
    /// <returns>The release, or a sentence that says why there is none and what to do.</returns>
    public (ServedRelease? Release, string? Problem) Open()
    {
        if (device.Bundle.Length == 0)
            return (null, "No bundle: set Device:Bundle to an OCI layout directory.");
        Bundle bundle;
        try
        {
            bundle = Bundle.Open(device.Bundle);
        }
        catch (Exception e) when (e is BundleException or IOException or UnauthorizedAccessException)
        {
            return (null, e.Message);
        }

        if (!IsNewEnough(bundle.Manifest.MinAgent))
            return (null, $"Bundle '{bundle.Manifest.Name} {bundle.Manifest.Label}' needs agent {bundle.Manifest.MinAgent}, this is {AgentVersion.Text}; upgrade the package dunlin-agent.");
        return WhyUntrusted(bundle, out var isSigned) is { } problem ? (null, problem) : (new ServedRelease(bundle, isSigned), null);
    }

    private string? WhyUntrusted(Bundle bundle, out bool isSigned)
    {
        isSigned = false;
        var name = $"Bundle '{bundle.Manifest.Name} {bundle.Manifest.Label}'";
        var stored = files.ReadRoot();
        if (stored.Condition == StateCondition.Absent)
            return updates.AllowUnsigned ? null : $"{name} cannot be verified, since this device has no trusted root in '{files.Layout.TrustRoot}'; enrol the device, or set Updates:AllowUnsigned for tests.";
        if (stored.Value is not { } envelope)
            return $"The trusted root is damaged: {stored.Problem} Install it again.";
        var read = RootReader.Read(envelope.Payload.Span);
        if (read.Value is not { } root) return $"The trusted root '{files.Layout.TrustRoot}' is invalid: {string.Join(" ", read.Errors)}";
        if (bundle.Signature is null) return $"{name} is not signed, and this device has root {root.Version}; sign it with a release key of that root.";
        var result = EnvelopeVerifier.Verify(bundle.Signature, SigningRole.Release, root);
        isSigned = result.IsAccepted;
        return isSigned ? null : $"{name}: {result.Detail}";
    }

    private static bool IsNewEnough(string minimum) =>
        !Version.TryParse(minimum, out var wanted) || !Version.TryParse(AgentVersion.Text, out var here) || here >= wanted;
}
