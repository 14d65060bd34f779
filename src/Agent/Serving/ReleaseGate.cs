using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.State;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;

namespace Dunlin.Agent.Serving;

/// <summary>A bundle that this device may run.</summary>
/// <param name="Bundle">From the store, or the device's own.</param>
/// <param name="IsSigned">By the trusted root as it is now.</param>
/// <param name="Objective">As its directive asks; null: as the device is configured.</param>
internal sealed record ServedRelease(Bundle Bundle, bool IsSigned, Objective? Objective = null)
{
    public override string ToString() => $"{Bundle.Manifest.Name} {Bundle.Manifest.Label}";
}

/// <summary>
/// Opens what the device runs: the active release of the store, else the factory bundle of the configuration, and decides
/// whether it may. A factory bundle must be signed by the trusted root, or unsigned where that is allowed and no root is there.
/// A release was judged before it was installed: afterwards its digests count, so that a rotation of keys stops no board.
/// </summary>
internal sealed class ReleaseGate(DeviceOptions device, UpdateOptions updates, StateFiles files, ReleaseStore store)
{
    /// <summary>Set at start where the active release must not be loaded, though the link still names it: run this one; null: the factory bundle.</summary>
    public (bool IsSet, Digest? Release) Instead { get; set; }

    /// <returns>The release, or null; and a sentence that says why there is none, or what is wrong all the same, and what to do.</returns>
    public (ServedRelease? Release, string? Problem) Open()
    {
        var id = Instead.IsSet ? Instead.Release : store.Active;
        if (id is null) return OpenFactory();
        var (installed, problem) = OpenInstalled(id.Value);
        if (installed is not null) return (installed, problem);
        var (factory, why) = OpenFactory();
        return (factory, $"{problem} {(factory is null ? why : $"The factory bundle {factory} runs instead.")}");
    }

    /// <summary>A release of the store; the problem may come with a release that runs all the same.</summary>
    public (ServedRelease? Release, string? Problem) OpenInstalled(Digest id)
    {
        var stored = store.Open(id);
        if (stored.Bundle is not { } bundle) return (null, $"Release {id} cannot be loaded: {stored.Problem}");
        if (TooOld(bundle) is { } old) return (null, old);
        var untrusted = WhyUntrusted(bundle, out var isSigned);
        return (new ServedRelease(bundle, isSigned, store.ObjectiveOf(id)), untrusted is null ? stored.Problem : $"{untrusted} It was accepted when it was installed, so it goes on.");
    }

    /// <summary>The bundle of the configuration.</summary>
    public (ServedRelease? Release, string? Problem) OpenFactory()
    {
        if (device.Bundle.Length == 0)
            return (null, "No bundle: set Device:Bundle to an OCI layout directory, or push a release to this device.");
        Bundle bundle;
        try
        {
            bundle = Bundle.Open(device.Bundle, BundleCheck.Contents);
        }
        catch (Exception e) when (e is BundleException or IOException or UnauthorizedAccessException)
        {
            return (null, e.Message);
        }

        if (TooOld(bundle) is { } old) return (null, old);
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
        var read = Root.Format.Read(envelope.Payload.Span);
        if (read.Value is not { } root) return $"The trusted root '{files.Layout.TrustRoot}' is invalid: {string.Join(" ", read.Errors)}";
        if (bundle.Signature is null) return $"{name} is not signed, and this device has root {root.Version}; sign it with a release key of that root.";
        var result = EnvelopeVerifier.Verify(bundle.Signature, SigningRole.Release, root);
        isSigned = result.IsAccepted;
        return isSigned ? null : $"{name}: {result.Detail}";
    }

    private static string? TooOld(Bundle bundle) =>
        !Version.TryParse(bundle.Manifest.MinAgent, out var wanted) || !Version.TryParse(AgentVersion.Text, out var here) || here >= wanted ? null
            : $"Bundle '{bundle.Manifest.Name} {bundle.Manifest.Label}' needs agent {bundle.Manifest.MinAgent}, this is {AgentVersion.Text}; upgrade the package dunlin-agent.";
}
