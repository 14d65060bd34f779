using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Agent.Tests;

public sealed class AgentHostTests
{
    private bool _hasEndedInOrder;

    [Fact]
    public async Task AFaultedServiceMakesTheProcessExitNonZero()
    {
        Assert.Equal(1, await RunAsync(new Faulting(), CancellationToken.None));
        Assert.False(_hasEndedInOrder);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BeingStoppedIsNoFaultNotEvenBeforeAllHasStarted(bool hasStarted)
    {
        using var stop = new CancellationTokenSource();
        if (!hasStarted) await stop.CancelAsync();
        Assert.Equal(0, await RunAsync(new Waiting(stop), stop.Token));
        Assert.True(_hasEndedInOrder);
    }

    [Fact]
    public async Task AServiceThatDoesNotStopEndsNotInOrder()
    {
        using var stop = new CancellationTokenSource();
        Assert.Equal(0, await RunAsync(new Hanging(stop), stop.Token, TimeSpan.FromMilliseconds(500)));
        Assert.False(_hasEndedInOrder);
    }

    /// <param name="service">The only one.</param>
    /// <param name="cancellationToken">The wish to stop.</param>
    /// <param name="patience">With a service that hangs; the others end by themselves, however slow the machine.</param>
    private async Task<int> RunAsync(BackgroundService service, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddHostedService(_ => service);
        builder.Services.Configure<HostOptions>(hosting => hosting.ShutdownTimeout = patience ?? Eventually.Patience);
        return await AgentHost.RunToTheEndAsync(builder.Build(), () => _hasEndedInOrder = true, cancellationToken);
    }

    private sealed class Faulting : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("A bug.");
        }
    }

    /// <summary>Asks for the stop only once it runs: a service that has not begun by then would end in order.</summary>
    private sealed class Hanging(CancellationTokenSource stop) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
        }
    }

    /// <summary>Asks for the stop, too, and ends with it.</summary>
    private sealed class Waiting(CancellationTokenSource stop) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }
}
