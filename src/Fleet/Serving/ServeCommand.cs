using System.CommandLine;
using Dunlin.Fleet.Connecting;

namespace Dunlin.Fleet.Serving;

/// <summary><c>dunlin-fleet serve</c>: the fleet's one writer, for as long as it runs.</summary>
internal static class ServeCommand
{
    // A push without --wait is over by then.
    private static readonly TimeSpan LeasePatience = TimeSpan.FromSeconds(3);

    public static Command Create()
    {
        var fleet = new FleetOptions();
        var command = new Command("serve", "Stays with the broker: the hourly beacon, blobs for devices that reach only the broker, and directives for 'push'. Ctrl-C ends it.");
        fleet.AddTo(command);
        command.SetAction(Failures.Reported((arguments, speaker, cancellationToken) => RunAsync(fleet.Of(arguments), speaker, cancellationToken)));
        return command;
    }

    /// <summary>Starts without a broker, too, and waits for it.</summary>
    internal static async Task<int> RunAsync(FleetSetup setup, Speaker speaker, CancellationToken cancellationToken)
    {
        using var logging = FleetLogging.Create(isVerbose: true, speaker.IsJson);
        using var ledger = setup.OpenLedger();
        using var lease = await WriterLease.TakeAsync(setup.State, LeasePatience, setup.Time, cancellationToken)
            ?? throw new FleetException(ExitCodes.Busy, $"Another dunlin-fleet serves '{setup.State}'; its process number is in serve.lock there.");
        await using var server = setup.NewServer(ledger, logging.CreateLogger("serve"));
        server.Start();
        await using var socket = new ControlSocket(setup.State, server);
        try
        {
            await server.WaitForEndAsync(cancellationToken);
            return ExitCodes.Bug;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Ok;
        }
    }
}
