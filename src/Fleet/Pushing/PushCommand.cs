using System.CommandLine;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;
using Spectre.Console;

namespace Dunlin.Fleet.Pushing;

/// <summary><c>dunlin-fleet push</c>: a signed directive to each device.</summary>
internal static class PushCommand
{
    public static Command Create()
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "A signed bundle's folder, or the id or label of a release that was published." };
        var fleet = new FleetOptions();
        var push = new PushOptions();
        var command = new Command("push", "Tells devices to run a release: they fetch it, check it, race it, try it, and keep it or go back by themselves.") { bundle };
        push.AddTo(command);
        fleet.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue<string[]>("--to") is not { Length: > 0 }) result.AddError("--to must name devices, or 'all'.");
        });
        command.SetAction(Failures.Reported((arguments, speaker, cancellationToken) => RunAsync(
            fleet.Of(arguments), arguments.GetValue(bundle)!, push.Devices(arguments), push.Sources(arguments), push.Policy(arguments), push.Validity(arguments),
            push.Waiting(arguments), speaker, LiveConsole(speaker), cancellationToken)));
        return command;
    }

    /// <summary>The live table, where there is a terminal and no <c>--json</c>.</summary>
    internal static IAnsiConsole? LiveConsole(Speaker speaker) => speaker.IsJson || Console.IsOutputRedirected ? null : AnsiConsole.Console;

    internal static async Task<int> RunAsync(
        FleetSetup setup, string text, IReadOnlyList<string> wanted, IReadOnlyList<ArtifactSource> sources, DirectivePolicy policy, TimeSpan validity,
        Waiting waiting, Speaker speaker, IAnsiConsole? live, CancellationToken cancellationToken)
    {
        var root = setup.OpenKeys().Root;
        using var ledger = setup.OpenLedger();
        using var logging = FleetLogging.Create(isVerbose: false, isJson: false);
        var (release, bundle) = ReleaseChoice.Find(text, ledger, root, setup.Time.GetUtcNow());
        var from = ChooseSources(sources, release, ledger);
        await SourceCheck.RequireAsync(release, from, speaker, cancellationToken);
        if (from.Any(source => source.Kind == SourceKind.Mqtt)) OfferOverMqtt(setup, release, bundle, ledger);
        await using var push = new Push(setup, ledger, root.Fleet, speaker, live, logging.CreateLogger("push"));
        var devices = await push.FindDevicesAsync(wanted, cancellationToken);
        return await push.RunAsync([(new PushPlan { Release = release, Sources = from, Policy = policy, Validity = validity }, devices)], waiting, cancellationToken);
    }

    internal static IReadOnlyList<ArtifactSource> ChooseSources(IReadOnlyList<ArtifactSource> named, KnownRelease release, Ledger ledger)
    {
        if (named.Count > 0) return named;
        IReadOnlyList<ArtifactSource> published = [.. ledger.Sources(release.Id).Take(3)];
        return published.Count > 0
            ? published
            : throw new FleetException(ExitCodes.InputMissing, $"'{release.Title}' is published nowhere that is known here; publish it with 'dunlin-fleet publish', or say --source mqtt for devices to get it over the broker.");
    }

    internal static void OfferOverMqtt(FleetSetup setup, KnownRelease release, Bundle? bundle, Ledger ledger)
    {
        if (bundle is not null) ledger.AddBlobs(release.Id, new PublishedBlobs(setup.State).Add(bundle));
        else if (ledger.SizeOfPublished(release.Id) is null)
            throw new FleetException(ExitCodes.InputMissing, $"'{release.Title}' was never published over MQTT, so that its blobs are not at hand; name its bundle's folder.");
        ledger.AddSource(release.Id, new ArtifactSource { Kind = SourceKind.Mqtt }, setup.Time.GetUtcNow());
    }
}
