using Microsoft.Extensions.DependencyInjection;
using Proto.DependencyInjection;

namespace Proto.Actor.Tests;

public sealed class DependencyInjectionTests
{
    [Fact]
    public async Task An_actor_that_is_no_service_is_made_with_services_and_arguments()
    {
        await using var provider = new ServiceCollection().AddSingleton(new Greeting("hello")).BuildServiceProvider();
        await using var system = TestSystem.Create().WithServiceProvider(provider);

        var plain = system.Root.Spawn(system.DI().PropsFor<Greeter>());
        var named = system.Root.Spawn(system.DI().PropsFor<NamedGreeter>("Ada"));
        var typed = system.Root.Spawn(system.DI().PropsFor(typeof(Greeter)));

        Assert.Equal("hello", await Probe.Within(system.Root.RequestAsync<string>(plain, "greet")));
        Assert.Equal("hello Ada", await Probe.Within(system.Root.RequestAsync<string>(named, "greet")));
        Assert.Equal("hello", await Probe.Within(system.Root.RequestAsync<string>(typed, "greet")));
    }

    [Fact]
    public async Task An_actor_that_is_a_service_is_resolved_as_it_was_registered()
    {
        await using var provider = new ServiceCollection().AddTransient(_ => new Greeter(new Greeting("from the factory"))).BuildServiceProvider();
        await using var system = TestSystem.Create().WithServiceProvider(provider);
        var pid = system.Root.Spawn(system.DI().PropsFor<Greeter>());

        Assert.Equal("from the factory", await Probe.Within(system.Root.RequestAsync<string>(pid, "greet")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Each_instance_has_scoped_services_that_end_with_it_once_and_after_it(bool registered)
    {
        var probe = new Probe();
        var services = new ServiceCollection().AddSingleton(probe).AddScoped<ScopedService>();
        if (registered) services.AddTransient<ScopedActor>();
        await using var provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateScopes = true });
        await using var system = TestSystem.Create().WithServiceProvider(provider);
        var pid = system.Root.Spawn(system.DI().PropsFor<ScopedActor>());
        var first = await Probe.Within(system.Root.RequestAsync<ScopedService>(pid, "service"));

        system.Root.Send(pid, "fail");
        var second = await Probe.Within(system.Root.RequestAsync<ScopedService>(pid, "service"));
        Assert.NotSame(first, second);
        Assert.Equal(["actor disposed", first], probe.Drain());

        await Probe.Within(system.Root.StopAsync(pid));
        Assert.Equal(["actor disposed", second], probe.Drain());
    }

    [Fact]
    public async Task A_singleton_actor_is_the_containers_and_outlives_its_process()
    {
        var probe = new Probe();
        await using var provider = new ServiceCollection().AddSingleton(probe).AddSingleton<ScopedService>().AddSingleton<ScopedActor>().BuildServiceProvider();
        await using var system = TestSystem.Create().WithServiceProvider(provider);
        var pid = system.Root.Spawn(system.DI().PropsFor<ScopedActor>());

        await Probe.Within(system.Root.StopAsync(pid));

        Assert.Empty(probe.Drain());
    }

    [Fact]
    public async Task The_services_of_an_instance_that_could_not_be_made_are_disposed()
    {
        var time = new ManualTime();
        var probe = new Probe();
        await using var provider = new ServiceCollection().AddSingleton(probe).AddScoped<ScopedService>().BuildServiceProvider();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time)).WithServiceProvider(provider);

        var pid = system.Root.Spawn(system.DI().PropsFor<Unmakeable>());

        var made = await probe.Next();
        Assert.IsType<ScopedService>(made);
        Assert.Same(made, await probe.Next());
        await Probe.Within(system.Root.StopAsync(pid));
    }

    [Fact]
    public async Task Without_a_provider_or_with_a_type_that_is_no_actor_the_error_says_so()
    {
        await using var system = TestSystem.Create();
        Assert.Throws<InvalidOperationException>(() => system.DI());

        await using var provider = new ServiceCollection().BuildServiceProvider();
        system.WithServiceProvider(provider);
        Assert.Throws<ArgumentException>(() => system.DI().PropsFor(typeof(string)));
    }

    private sealed record Greeting(string Text);

    private sealed class Greeter(Greeting greeting) : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is "greet") context.Respond(greeting.Text);
            return Task.CompletedTask;
        }
    }

    private sealed class NamedGreeter(string name, Greeting greeting) : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is "greet") context.Respond($"{greeting.Text} {name}");
            return Task.CompletedTask;
        }
    }

    private sealed class ScopedService(Probe probe) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            probe.Add(this);
            return default;
        }
    }

    private sealed class ScopedActor(Probe probe, ScopedService service) : IActor, IDisposable
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is "fail") throw new InvalidOperationException("asked to fail");
            if (context.Message is "service") context.Respond(service);
            return Task.CompletedTask;
        }

        public void Dispose() => probe.Add("actor disposed");
    }

    private sealed class Unmakeable : IActor
    {
        public Unmakeable(Probe probe, ScopedService service)
        {
            probe.Add(service);
            throw new InvalidOperationException("constructor");
        }

        public Task ReceiveAsync(IContext context) => Task.CompletedTask;
    }
}
